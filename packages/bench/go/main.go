// Command promsplice.bench times the iterator that this project is compared with, Thanos' pkg/dedup with the penalty
// algorithm, over the columns that ../src/go.ts has written, one file a case:
//
//	promsplice.bench -rounds 25 jitter.columns counter=missed.columns
//
// A file named with `counter=` is merged as Thanos does for rate(). For each file one line of JSON comes out: the case, the
// least time of all rounds in ns an input sample, the number of output samples, and the SHA-256 of the output columns
// (timestamps, then values, both as little-endian float64), by which the two programs' answers are compared.
//
// Build with `-tags slicelabels`: this version of Thanos casts label sets to slices and panics without.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/thanos-io/thanos/pkg/dedup"
)

type result struct {
	Case             string  `json:"case"`
	NsPerInputSample float64 `json:"nsPerInputSample"`
	InputSamples     int     `json:"inputSamples"`
	OutputSamples    int     `json:"outputSamples"`
	Checksum         string  `json:"checksum"`
}

func main() {
	rounds := flag.Int("rounds", 25, "how often each case is run")
	flag.Parse()
	for _, argument := range flag.Args() {
		path, function := argument, ""
		if rest, isCounter := strings.CutPrefix(argument, "counter="); isCounter {
			path, function = rest, "rate"
		}
		measured, err := measure(path, function, *rounds)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			os.Exit(1)
		}
		line, err := json.Marshal(measured)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(string(line))
	}
}

// measure runs one case: once to keep and sum up the output, then rounds times against the clock. What is timed is what
// a query does once its samples are decoded: make the series set, take the series, walk its iterator and read each sample.
func measure(path, function string, rounds int) (result, error) {
	replicas, err := readColumns(path)
	if err != nil {
		return result{}, err
	}
	inputSamples := 0
	for _, replica := range replicas {
		inputSamples += len(replica.timestamps)
	}
	outputSamples, checksum := sum(replicas, function)
	least := time.Duration(math.MaxInt64)
	for range rounds {
		runtime.GC()
		begin := time.Now()
		walked := walk(replicas, function)
		least = min(least, time.Since(begin))
		if walked != outputSamples {
			return result{}, fmt.Errorf("a round gave %d samples, the first one %d", walked, outputSamples)
		}
	}
	return result{
		Case:             strings.TrimSuffix(filepath.Base(path), ".columns"),
		NsPerInputSample: float64(least.Nanoseconds()) / float64(inputSamples),
		InputSamples:     inputSamples,
		OutputSamples:    outputSamples,
		Checksum:         checksum,
	}, nil
}

// sink keeps the compiler from leaving out the reads of the samples.
var sink float64

func walk(replicas []columns, function string) int {
	set := dedup.NewSeriesSet(&columnsSet{replicas: replicas, at: -1}, function, dedup.AlgorithmPenalty)
	count := 0
	total := 0.0
	for set.Next() {
		iterator := set.At().Iterator(nil)
		for iterator.Next() != chunkenc.ValNone {
			timestamp, value := iterator.At()
			total += float64(timestamp) + value
			count++
		}
	}
	sink = total
	return count
}

func sum(replicas []columns, function string) (int, string) {
	set := dedup.NewSeriesSet(&columnsSet{replicas: replicas, at: -1}, function, dedup.AlgorithmPenalty)
	var timestamps, values []byte
	for set.Next() {
		iterator := set.At().Iterator(nil)
		for iterator.Next() != chunkenc.ValNone {
			timestamp, value := iterator.At()
			timestamps = binary.LittleEndian.AppendUint64(timestamps, math.Float64bits(float64(timestamp)))
			values = binary.LittleEndian.AppendUint64(values, math.Float64bits(value))
		}
	}
	hash := sha256.New()
	hash.Write(timestamps)
	hash.Write(values)
	return len(timestamps) / 8, hex.EncodeToString(hash.Sum(nil))
}

type columns struct {
	timestamps []int64
	values     []float64
}

var magic = []byte("PSCOLUM1")

// readColumns reads the format that ../src/columns-file.ts describes.
func readColumns(path string) ([]columns, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < 16 || !bytes.Equal(data[:8], magic) {
		return nil, fmt.Errorf("this is no file of columns")
	}
	replicas := make([]columns, binary.LittleEndian.Uint64(data[8:]))
	data = data[16:]
	for i := range replicas {
		if len(data) < 8 || uint64(len(data)-8)/16 < binary.LittleEndian.Uint64(data) {
			return nil, fmt.Errorf("replica %d: the file is too short", i)
		}
		count := int(binary.LittleEndian.Uint64(data))
		data = data[8:]
		replica := columns{timestamps: make([]int64, count), values: make([]float64, count)}
		for row := range count {
			replica.timestamps[row] = int64(math.Float64frombits(binary.LittleEndian.Uint64(data[8*row:])))
			replica.values[row] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*(count+row):]))
		}
		data = data[16*count:]
		replicas[i] = replica
	}
	return replicas, nil
}

// columnsSet hands out the replicas as series of equal labels, which is what the merge sees once the replica label is gone.
type columnsSet struct {
	replicas []columns
	at       int
}

var seriesLabels = labels.FromStrings("__name__", "http_requests_total", "instance", "localhost:9090", "job", "prometheus")

func (s *columnsSet) Next() bool {
	s.at++
	return s.at < len(s.replicas)
}
func (s *columnsSet) At() storage.Series                { return columnsSeries{s.replicas[s.at]} }
func (s *columnsSet) Err() error                        { return nil }
func (s *columnsSet) Warnings() annotations.Annotations { return nil }

type columnsSeries struct{ columns columns }

func (s columnsSeries) Labels() labels.Labels { return seriesLabels }
func (s columnsSeries) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	return newColumnsIterator(s.columns)
}
