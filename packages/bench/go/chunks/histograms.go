package main

import (
	"encoding/binary"
	"fmt"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// The columns of histograms are timestamps, counts, zero counts, sums, and the buckets of all rows, positive ones before
// negative ones. Of integers all but the timestamps and sums are little-endian integers of 64 bits, and buckets are deltas; of
// floats they are float64.

// integers are the samples of a chunk of histograms of integers.
type integers struct {
	timestamps []int64
	histograms []*histogram.Histogram
	// scratch is decoded into, as an engine does that looks at one after the other.
	scratch *histogram.Histogram
}

// floatHistograms are the samples of a chunk of histograms of floats.
type floatHistograms struct {
	timestamps []int64
	histograms []*histogram.FloatHistogram
	scratch    *histogram.FloatHistogram
}

func readHistograms(chunk chunkenc.Chunk) (samples, error) {
	iterator := chunk.Iterator(nil)
	switch chunk.Encoding() {
	case chunkenc.EncHistogram:
		read := &integers{scratch: &histogram.Histogram{}}
		for iterator.Next() != chunkenc.ValNone {
			timestamp, one := iterator.AtHistogram(nil)
			read.timestamps = append(read.timestamps, timestamp)
			read.histograms = append(read.histograms, one)
		}
		return read, iterator.Err()
	case chunkenc.EncFloatHistogram:
		read := &floatHistograms{scratch: &histogram.FloatHistogram{}}
		for iterator.Next() != chunkenc.ValNone {
			timestamp, one := iterator.AtFloatHistogram(nil)
			read.timestamps = append(read.timestamps, timestamp)
			read.histograms = append(read.histograms, one)
		}
		return read, iterator.Err()
	default:
		return nil, fmt.Errorf("chunks of the encoding %d are not compared", chunk.Encoding())
	}
}

func (s *integers) count() int { return len(s.timestamps) }

func (s *integers) decode(chunk chunkenc.Chunk, iterator chunkenc.Iterator) chunkenc.Iterator {
	iterator = chunk.Iterator(iterator)
	for iterator.Next() != chunkenc.ValNone {
		timestamp, one := iterator.AtHistogram(s.scratch)
		sinkTimestamp += timestamp
		sinkValue += one.Sum
	}
	return iterator
}

func (s *integers) encode() (chunkenc.Chunk, error) {
	chunk := chunkenc.NewHistogramChunk()
	appender, err := chunk.Appender()
	if err != nil {
		return nil, err
	}
	for row, timestamp := range s.timestamps {
		other, _, _, err := appender.AppendHistogram(nil, timestamp, s.histograms[row], false)
		if err != nil {
			return nil, err
		}
		if other != nil {
			return nil, fmt.Errorf("row %d begins another chunk", row)
		}
	}
	return chunk, nil
}

func (s *integers) columns(columns [][]byte) [][]byte {
	for row, timestamp := range s.timestamps {
		one := s.histograms[row]
		columns[0] = appendFloat(columns[0], float64(timestamp))
		columns[1] = binary.LittleEndian.AppendUint64(columns[1], one.Count)
		columns[2] = binary.LittleEndian.AppendUint64(columns[2], one.ZeroCount)
		columns[3] = appendFloat(columns[3], one.Sum)
		for _, side := range [][]int64{one.PositiveBuckets, one.NegativeBuckets} {
			for _, bucket := range side {
				columns[4] = binary.LittleEndian.AppendUint64(columns[4], uint64(bucket))
			}
		}
	}
	return columns
}

func (s *floatHistograms) count() int { return len(s.timestamps) }

func (s *floatHistograms) decode(chunk chunkenc.Chunk, iterator chunkenc.Iterator) chunkenc.Iterator {
	iterator = chunk.Iterator(iterator)
	for iterator.Next() != chunkenc.ValNone {
		timestamp, one := iterator.AtFloatHistogram(s.scratch)
		sinkTimestamp += timestamp
		sinkValue += one.Sum
	}
	return iterator
}

func (s *floatHistograms) encode() (chunkenc.Chunk, error) {
	chunk := chunkenc.NewFloatHistogramChunk()
	appender, err := chunk.Appender()
	if err != nil {
		return nil, err
	}
	for row, timestamp := range s.timestamps {
		other, _, _, err := appender.AppendFloatHistogram(nil, timestamp, s.histograms[row], false)
		if err != nil {
			return nil, err
		}
		if other != nil {
			return nil, fmt.Errorf("row %d begins another chunk", row)
		}
	}
	return chunk, nil
}

func (s *floatHistograms) columns(columns [][]byte) [][]byte {
	for row, timestamp := range s.timestamps {
		one := s.histograms[row]
		columns[0] = appendFloat(columns[0], float64(timestamp))
		columns[1] = appendFloat(columns[1], one.Count)
		columns[2] = appendFloat(columns[2], one.ZeroCount)
		columns[3] = appendFloat(columns[3], one.Sum)
		for _, side := range [][]float64{one.PositiveBuckets, one.NegativeBuckets} {
			for _, bucket := range side {
				columns[4] = appendFloat(columns[4], bucket)
			}
		}
	}
	return columns
}
