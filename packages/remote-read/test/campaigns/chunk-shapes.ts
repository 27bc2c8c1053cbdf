/**
 * Chunks of any length that are well-formed and all the same inside, honest ones and those that cost as much as a chunk can:
 * rows of one bit, steps of 64 bits, thousands of buckets or spans, and claims that the bytes do not keep.
 */
import { BitSink } from "../../src/chunk/bit-sink.ts";

/** A kind of chunk that can be made as long as one likes, up to `sizeMax`: rows, buckets, spans or bounds, what there is more of. */
export interface ChunkShape {
  readonly name: string;
  readonly type: number;
  readonly sizeMax: number;
  /** Whether it decodes. */
  readonly isValid: boolean;
  write(size: number): Uint8Array;
}

/** The shape's chunk of about so many bytes, or its longest. */
export function chunkOfBytes(shape: ChunkShape, bytes: number): Uint8Array {
  const sizeFew = Math.min(64, shape.sizeMax);
  const sizeMany = Math.min(1088, shape.sizeMax);
  const bytesFew = shape.write(sizeFew).length;
  const bytesOfOne = (shape.write(sizeMany).length - bytesFew) / (sizeMany - sizeFew);
  const size = Math.round(sizeFew + (bytes - bytesFew) / bytesOfOne);
  return shape.write(Math.max(2, Math.min(size, shape.sizeMax)));
}

/** The length of its longest chunk. */
export function bytesMaxOf(shape: ChunkShape): number {
  return shape.write(shape.sizeMax).length;
}

const ROWS_MAX = 65_535;
const ROWS_WITH_STARTS_MAX = 16_383;
/** As many as the decoder takes: see `histogramBucketsMax` of the reader. */
const BUCKETS_MAX = 65_536;
/** So wide rows that the buckets of 8,192 of them are as many as a chunk may have. */
const WIDE = 1_024;
/** Of floats, whose first row is 8 bytes a bucket: the others should be most of a chunk. */
const WIDE_FLOATS = 8;
const WIDE_ROWS_MAX = 8_192;

/** A chunk: the header for a count, a byte of flags or of start times where the type has one, and what `write` writes. */
function chunk(type: number, count: number, write: (sink: BitSink) => void, third = 0): Uint8Array {
  const sink = new BitSink();
  sink.put(count, 16);
  if (type > 1) {
    sink.put(third, 8);
  }
  write(sink);
  const data = new Uint8Array(sink.finish());
  sink.copyTo(data);
  return data;
}

function zeros(sink: BitSink, bits: number): void {
  for (let left = bits; left > 0; left -= 16) {
    sink.put(0, Math.min(left, 16));
  }
}

/** A new window of all 64 bits, and a difference in it. */
function writeWidest(sink: BitSink, row: number): void {
  sink.put(0b11, 2);
  sink.put(0, 11);
  sink.put64(0x3ff00000 + row, Math.imul(row, 0x9e3779b9));
}

/** The first two rows of a chunk of floats: times 0 and 2, values 0. */
function beginFloats(sink: BitSink): void {
  sink.put(0, 8);
  sink.put64(0, 0);
  sink.put(2, 8);
  sink.put(0, 1);
}

/** The step of a row's time or start time that leads from 2 ms to 1 ms and back again. */
function back(row: number): number {
  return row === 1 ? 2 : row % 2 === 0 ? -1 : 1;
}

function floats(
  type: number,
  name: string,
  writeRow: (sink: BitSink, row: number, count: number) => void,
  isValid = true,
): ChunkShape {
  return {
    name,
    type,
    sizeMax: ROWS_MAX,
    isValid,
    write: (count) =>
      chunk(type, count, (sink) => {
        beginFloats(sink);
        for (let row = 2; row < count; row++) {
          writeRow(sink, row, count);
        }
      }),
  };
}

function writeXor64(sink: BitSink, row: number): void {
  sink.put(0b1111, 4);
  sink.put64(back(row) >> 31, back(row));
  writeWidest(sink, row);
}

const XOR_SHAPES: readonly ChunkShape[] = [
  floats(1, "constants", (sink) => sink.put(0, 2)),
  floats(1, "steps of 20 bits, new windows", (sink, row) => {
    sink.put(0b1110, 4);
    sink.put(back(row) & 0xfffff, 20);
    writeWidest(sink, row);
  }),
  floats(1, "steps of 64 bits, new windows", writeXor64),
  floats(1, "constants, in the last row a step of 64 bits", (sink, row, count) => {
    if (row === count - 1) {
      writeXor64(sink, 2);
    } else {
      sink.put(0, 2);
    }
  }),
  floats(
    1,
    "constants, in the last row a window over 64 bits",
    (sink, row, count) => (row === count - 1 ? sink.put(0xffff, 16) : sink.put(0, 2)),
    false,
  ),
];

const XOR2_SHAPES: readonly ChunkShape[] = [
  floats(4, "constants", (sink) => sink.put(0, 1)),
  floats(4, "stale markers", (sink) => sink.put(0b11111, 5)),
  floats(4, "steps of 64 bits, new windows", (sink, row) => {
    sink.put(0b11110, 5);
    sink.put64(back(row) >> 31, back(row));
    sink.put(0b110, 3);
    sink.put(0, 11);
    sink.put64(0x3ff00000, row);
  }),
  {
    name: "start times of 64 bits",
    type: 4,
    sizeMax: ROWS_MAX,
    isValid: true,
    write: (count) =>
      chunk(
        4,
        count,
        (sink) => {
          beginFloats(sink);
          writeStart(sink, 0);
          for (let row = 2; row < count; row++) {
            sink.put(0, 1);
            writeStart(sink, row);
          }
        },
        1,
      ),
  },
];

/** A change of the start time, there and back again, in as many bits as there can be. */
function writeStart(sink: BitSink, row: number): void {
  sink.put(0xff, 8);
  sink.put64(back(row) >> 31, back(row));
}

interface HistogramChunk {
  readonly type: number;
  readonly schema?: number;
  /** Lengths of the positive spans. */
  readonly spans?: readonly number[];
  readonly bounds?: number;
  readonly rows: number;
  /** Claimed, where it is not the number of rows. */
  readonly count?: number;
  /** One after the first, whose numbers are all 0; without it all are as before. */
  readonly writeRow?: (sink: BitSink, row: number, isFloat: boolean, buckets: number) => void;
}

function histograms(made: HistogramChunk): Uint8Array {
  const { type, schema = 0, spans = [], bounds = 0, rows, count = rows, writeRow = writeSame } = made;
  const isFloat = type === 3 || type === 6;
  const buckets = spans.reduce((sum, length) => sum + length, 0);
  const sink = new BitSink();
  const hasStarts = type > 4;
  sink.put(hasStarts ? count & 0x3fff : count, 16);
  sink.put(0, 8);
  sink.put(0, 8);
  sink.putVarbit(schema >> 31, schema);
  sink.putUvarbit(0, spans.length);
  for (const length of spans) {
    sink.putUvarbit(0, length);
    sink.putVarbit(0, 0);
  }
  sink.putUvarbit(0, 0);
  if (schema === -53) {
    sink.putUvarbit(0, bounds);
    for (let at = 0; at < bounds; at++) {
      sink.putUvarbit(0, 1);
    }
  }
  // Time, count, zero count, sum, buckets.
  zeros(sink, 1 + (isFloat ? 64 * (3 + buckets) : 2 + 64 + buckets));
  for (let row = 1; row < rows; row++) {
    writeRow(sink, row, isFloat, buckets);
  }
  const data = new Uint8Array(sink.finish());
  sink.copyTo(data);
  return data;
}

/** Time, count, zero count, sum and buckets as before. */
function writeSame(sink: BitSink, _row: number, _isFloat: boolean, buckets: number): void {
  zeros(sink, 4 + buckets);
}

/** All fields in as many bits as they can have. */
function writeLongest(sink: BitSink, row: number, isFloat: boolean, buckets: number): void {
  const writeField = (): void => {
    if (isFloat) {
      writeWidest(sink, row);
    } else {
      writeStart(sink, row);
    }
  };
  writeStart(sink, row);
  writeField();
  writeField();
  writeWidest(sink, row);
  for (let left = buckets; left > 0; left--) {
    writeField();
  }
}

/** Every other row is a stale marker: its sum comes and goes by the same difference. */
function writeStaleInTurns(sink: BitSink, row: number, _isFloat: boolean, buckets: number): void {
  sink.put(0, 3);
  sink.put(0b10, 2);
  sink.put64(0x7ff00000, 2);
  if (row % 2 === 0) {
    zeros(sink, buckets);
  }
}

function histogramShapes(type: number): ChunkShape[] {
  const hasStarts = type > 4;
  const rowsMax = hasStarts ? ROWS_WITH_STARTS_MAX : ROWS_MAX;
  const isValid = true;
  const eight = [3, 5];
  const wide = [type === 3 || type === 6 ? WIDE_FLOATS : WIDE];
  return [
    {
      name: "no buckets",
      type,
      sizeMax: rowsMax,
      isValid,
      write: (rows) => histograms({ type, rows }),
    },
    {
      name: "one row, many buckets",
      type,
      sizeMax: BUCKETS_MAX,
      isValid,
      write: (buckets) => histograms({ type, spans: [buckets], rows: 1 }),
    },
    {
      name: "wide rows, all as before",
      type,
      sizeMax: WIDE_ROWS_MAX,
      isValid,
      write: (rows) => histograms({ type, spans: wide, rows }),
    },
    {
      name: "64 bits a field",
      type,
      // Longer ones are longer than the largest frame's chunks are worth testing.
      sizeMax: Math.min(rowsMax, 8_192),
      isValid,
      write: (rows) => histograms({ type, spans: eight, rows, writeRow: writeLongest }),
    },
    {
      name: "stale in turns",
      type,
      sizeMax: rowsMax,
      isValid,
      write: (rows) => histograms({ type, spans: eight, rows, writeRow: writeStaleInTurns }),
    },
    {
      name: "empty spans",
      type,
      sizeMax: BUCKETS_MAX,
      isValid,
      write: (spans) => histograms({ type, spans: Array.from({ length: spans }, () => 0), rows: 1 }),
    },
    {
      name: "many bounds",
      type,
      sizeMax: BUCKETS_MAX,
      isValid,
      write: (bounds) => histograms({ type, schema: -53, bounds, rows: 1 }),
    },
    {
      name: "wide rows, more claimed than there are",
      type,
      sizeMax: WIDE_ROWS_MAX / 2,
      isValid: false,
      write: (rows) => histograms({ type, spans: wide, rows, count: 2 * rows }),
    },
  ];
}

/** All shapes of all six types. */
export const CHUNK_SHAPES: readonly ChunkShape[] = [
  ...XOR_SHAPES,
  ...XOR2_SHAPES,
  ...[2, 3, 5, 6].flatMap((type) => histogramShapes(type)),
];

/**
 * Chunks that claim as many rows as their count can say, and have one or two: what is made room for before that is found out.
 * Their time is not in proportion to their bytes: short ones are refused unread.
 */
export const CLAIMING_SHAPES: readonly ChunkShape[] = [1, 2, 3, 4, 5, 6].map((type) => {
  const isFloat = type === 3 || type === 6;
  // So wide that as many rows as are claimed have no more buckets than a chunk may have.
  const sizeMax = type === 1 || type === 4 ? 4_096 : isFloat ? 512 : 4_096;
  return {
    name: "one row, all claimed",
    type,
    sizeMax,
    isValid: false,
    write: (size) => {
      if (type === 1 || type === 4) {
        return chunk(type, ROWS_MAX, (sink) => {
          beginFloats(sink);
          zeros(sink, size);
        });
      }
      return histograms({ type, spans: [size], rows: 1, count: isFloat ? 15 * size : size >> 2 });
    },
  };
});
