package main

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// columnsIterator walks decoded samples. Seek goes forward row by row, as the iterators over chunks do: in a merge the
// wanted row is nearly always the next one or the one after, and Prometheus' own list iterator, which searches by
// bisection up to the end of the series, would be slower.
type columnsIterator struct {
	timestamps []int64
	values     []float64
	row        int
}

func newColumnsIterator(c columns) chunkenc.Iterator {
	return &columnsIterator{timestamps: c.timestamps, values: c.values, row: -1}
}

func (it *columnsIterator) Next() chunkenc.ValueType {
	it.row++
	if it.row >= len(it.timestamps) {
		it.row = len(it.timestamps)
		return chunkenc.ValNone
	}
	return chunkenc.ValFloat
}

func (it *columnsIterator) Seek(timestamp int64) chunkenc.ValueType {
	row := max(it.row, 0)
	for row < len(it.timestamps) && it.timestamps[row] < timestamp {
		row++
	}
	it.row = row
	if row == len(it.timestamps) {
		return chunkenc.ValNone
	}
	return chunkenc.ValFloat
}

func (it *columnsIterator) At() (int64, float64) { return it.timestamps[it.row], it.values[it.row] }
func (it *columnsIterator) AtT() int64           { return it.timestamps[it.row] }
func (it *columnsIterator) Err() error           { return nil }

func (it *columnsIterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	panic("there are no histograms here")
}

func (it *columnsIterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	panic("there are no histograms here")
}
