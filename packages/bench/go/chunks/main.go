// Command chunks times Prometheus' own chunks, decoding and encoding, over those that ../../src/go-chunks.ts has written, one
// file a case, each with the type of its chunks (1 XOR, 2 histograms of integers, 3 of floats):
//
//	chunks 1=constant.chunks 1=counter.chunks 2=integers.chunks
//
// First it prints one line of JSON for each file: the number of samples, the SHA-256 of what the chunks decode to
// (column by column: timestamps as little-endian float64, then values, or what histograms.go says), and whether its own
// appender gives the very same bytes for them. Then, for each line with a case's index on its standard input, it decodes and
// encodes that case once and prints how long that took in ns a sample, so that the other program can take turns with it.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

type checked struct {
	Samples     int    `json:"samples"`
	Checksum    string `json:"checksum"`
	IsSameBytes bool   `json:"isSameBytes"`
}

type turn struct {
	DecodeNs float64 `json:"decodeNs"`
	EncodeNs float64 `json:"encodeNs"`
}

// samples are those of one chunk. Each type of chunk has its own.
type samples interface {
	count() int
	// decode reads all of the chunk's samples, and keeps none.
	decode(chunk chunkenc.Chunk, iterator chunkenc.Iterator) chunkenc.Iterator
	// encode appends them to a new chunk.
	encode() (chunkenc.Chunk, error)
	// columns appends to each column the bytes of all rows.
	columns(columns [][]byte) [][]byte
}

// chunkOf is one chunk and the samples in it.
type chunkOf struct {
	encoded chunkenc.Chunk
	samples samples
}

// floats are the samples of an XOR chunk.
type floats struct {
	timestamps []int64
	values     []float64
}

func main() {
	cases := make([][]chunkOf, 0, len(os.Args)-1)
	for _, argument := range os.Args[1:] {
		number, path, _ := strings.Cut(argument, "=")
		encoding, err := strconv.Atoi(number)
		if err != nil {
			fail(argument, err)
		}
		chunks, err := readChunks(path, chunkenc.Encoding(encoding))
		if err != nil {
			fail(path, err)
		}
		result, err := check(chunks)
		if err != nil {
			fail(path, err)
		}
		print(result)
		cases = append(cases, chunks)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		index, err := strconv.Atoi(lines.Text())
		if err != nil || index < 0 || index >= len(cases) {
			fail("stdin", fmt.Errorf("%q is no index of a case", lines.Text()))
		}
		result, err := takeTurn(cases[index])
		if err != nil {
			fail("stdin", err)
		}
		print(result)
	}
}

// sinks keep the compiler from leaving out what is timed.
var (
	sinkTimestamp int64
	sinkValue     float64
)

func takeTurn(chunks []chunkOf) (turn, error) {
	samples := 0
	var iterator chunkenc.Iterator
	begin := time.Now()
	for _, chunk := range chunks {
		iterator = chunk.samples.decode(chunk.encoded, iterator)
		samples += chunk.samples.count()
	}
	decoded := time.Since(begin)
	begin = time.Now()
	for _, chunk := range chunks {
		encoded, err := chunk.samples.encode()
		if err != nil {
			return turn{}, err
		}
		sinkTimestamp += int64(len(encoded.Bytes()))
	}
	encoded := time.Since(begin)
	return turn{
		DecodeNs: float64(decoded.Nanoseconds()) / float64(samples),
		EncodeNs: float64(encoded.Nanoseconds()) / float64(samples),
	}, nil
}

func (f *floats) count() int { return len(f.timestamps) }

func (f *floats) decode(chunk chunkenc.Chunk, iterator chunkenc.Iterator) chunkenc.Iterator {
	iterator = chunk.Iterator(iterator)
	for iterator.Next() != chunkenc.ValNone {
		timestamp, value := iterator.At()
		sinkTimestamp += timestamp
		sinkValue += value
	}
	return iterator
}

func (f *floats) encode() (chunkenc.Chunk, error) {
	chunk := chunkenc.NewXORChunk()
	appender, err := chunk.Appender()
	if err != nil {
		return nil, err
	}
	for row, timestamp := range f.timestamps {
		appender.Append(timestamp, f.values[row])
	}
	return chunk, nil
}

func (f *floats) columns(columns [][]byte) [][]byte {
	for row, timestamp := range f.timestamps {
		columns[0] = appendFloat(columns[0], float64(timestamp))
		columns[1] = appendFloat(columns[1], f.values[row])
	}
	return columns
}

func appendFloat(column []byte, value float64) []byte {
	return binary.LittleEndian.AppendUint64(column, math.Float64bits(value))
}

// columnsMax is how many columns samples can have.
const columnsMax = 5

// check encodes what was decoded once more, and sums it up.
func check(chunks []chunkOf) (checked, error) {
	result := checked{IsSameBytes: true}
	columns := make([][]byte, columnsMax)
	for _, chunk := range chunks {
		again, err := chunk.samples.encode()
		if err != nil {
			return checked{}, err
		}
		result.IsSameBytes = result.IsSameBytes && bytes.Equal(again.Bytes(), chunk.encoded.Bytes())
		result.Samples += chunk.samples.count()
		columns = chunk.samples.columns(columns)
	}
	hash := sha256.New()
	for _, column := range columns {
		hash.Write(column)
	}
	result.Checksum = hex.EncodeToString(hash.Sum(nil))
	return result, nil
}

var magic = []byte("PSCHUNK1")

// readChunks reads the format that ../../src/chunks-file.ts describes, and decodes each chunk.
func readChunks(path string, encoding chunkenc.Encoding) ([]chunkOf, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(data, magic) {
		return nil, fmt.Errorf("this is no file of chunks")
	}
	var chunks []chunkOf
	for data = data[len(magic):]; len(data) > 0; {
		if len(data) < 4 || uint64(len(data)-4) < uint64(binary.LittleEndian.Uint32(data)) {
			return nil, fmt.Errorf("chunk %d: the file is too short", len(chunks))
		}
		end := 4 + int(binary.LittleEndian.Uint32(data))
		encoded, err := chunkenc.FromData(encoding, data[4:end:end])
		if err != nil {
			return nil, err
		}
		samples, err := readSamples(encoded)
		if err != nil {
			return nil, fmt.Errorf("chunk %d: %w", len(chunks), err)
		}
		chunks = append(chunks, chunkOf{encoded: encoded, samples: samples})
		data = data[end:]
	}
	return chunks, nil
}

func readSamples(chunk chunkenc.Chunk) (samples, error) {
	if chunk.Encoding() != chunkenc.EncXOR {
		return readHistograms(chunk)
	}
	read := &floats{}
	iterator := chunk.Iterator(nil)
	for iterator.Next() != chunkenc.ValNone {
		timestamp, value := iterator.At()
		read.timestamps = append(read.timestamps, timestamp)
		read.values = append(read.values, value)
	}
	return read, iterator.Err()
}

func print(result any) {
	line, err := json.Marshal(result)
	if err != nil {
		fail("result", err)
	}
	fmt.Println(string(line))
}

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}
