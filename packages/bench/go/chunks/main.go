// Command chunks times Prometheus' own XOR chunks, decoding and encoding, over the chunks that ../../src/go-chunks.ts has
// written, one file a case:
//
//	chunks constant.chunks counter.chunks
//
// First it prints one line of JSON for each file: the number of samples, the SHA-256 of what the chunks decode to
// (timestamps, then values, both as little-endian float64), and whether its own appender gives the very same bytes for
// them. Then, for each line with a case's index on its standard input, it decodes and encodes that case once and prints how
// long that took in ns a sample, so that the other program can take turns with it.
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

// chunkOf is one chunk and the samples in it.
type chunkOf struct {
	encoded    *chunkenc.XORChunk
	timestamps []int64
	values     []float64
}

func main() {
	cases := make([][]chunkOf, 0, len(os.Args)-1)
	for _, path := range os.Args[1:] {
		chunks, err := readChunks(path)
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
		iterator = chunk.encoded.Iterator(iterator)
		for iterator.Next() != chunkenc.ValNone {
			timestamp, value := iterator.At()
			sinkTimestamp += timestamp
			sinkValue += value
			samples++
		}
	}
	decoded := time.Since(begin)
	begin = time.Now()
	for _, chunk := range chunks {
		encoded, err := encode(chunk.timestamps, chunk.values)
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

func encode(timestamps []int64, values []float64) (*chunkenc.XORChunk, error) {
	chunk := chunkenc.NewXORChunk()
	appender, err := chunk.Appender()
	if err != nil {
		return nil, err
	}
	for row, timestamp := range timestamps {
		appender.Append(timestamp, values[row])
	}
	return chunk, nil
}

// check encodes what was decoded once more, and sums it up.
func check(chunks []chunkOf) (checked, error) {
	result := checked{IsSameBytes: true}
	var timestamps, values []byte
	for _, chunk := range chunks {
		again, err := encode(chunk.timestamps, chunk.values)
		if err != nil {
			return checked{}, err
		}
		result.IsSameBytes = result.IsSameBytes && bytes.Equal(again.Bytes(), chunk.encoded.Bytes())
		result.Samples += len(chunk.timestamps)
		for row, timestamp := range chunk.timestamps {
			timestamps = binary.LittleEndian.AppendUint64(timestamps, math.Float64bits(float64(timestamp)))
			values = binary.LittleEndian.AppendUint64(values, math.Float64bits(chunk.values[row]))
		}
	}
	hash := sha256.New()
	hash.Write(timestamps)
	hash.Write(values)
	result.Checksum = hex.EncodeToString(hash.Sum(nil))
	return result, nil
}

var magic = []byte("PSCHUNK1")

// readChunks reads the format that ../../src/chunks-file.ts describes, and decodes each chunk.
func readChunks(path string) ([]chunkOf, error) {
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
		encoded, err := chunkenc.FromData(chunkenc.EncXOR, data[4:end:end])
		if err != nil {
			return nil, err
		}
		chunk := chunkOf{encoded: encoded.(*chunkenc.XORChunk)}
		iterator := encoded.Iterator(nil)
		for iterator.Next() != chunkenc.ValNone {
			timestamp, value := iterator.At()
			chunk.timestamps = append(chunk.timestamps, timestamp)
			chunk.values = append(chunk.values, value)
		}
		if err := iterator.Err(); err != nil {
			return nil, fmt.Errorf("chunk %d: %w", len(chunks), err)
		}
		chunks = append(chunks, chunk)
		data = data[end:]
	}
	return chunks, nil
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
