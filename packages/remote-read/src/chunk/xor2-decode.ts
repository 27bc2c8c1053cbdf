/**
 * Decodes XOR2 chunks (type 4), tsdb/chunkenc/xor2.go of Prometheus 3.14: floats as in `xor-format.ts`, but for the codes, the
 * stale marker, which has codes of its own, and start times.
 *
 *     header           count, 16 bits · a byte about start times, see `start-times.ts`
 *     row 0            time: varint · value: 64 bits
 *     row 1            delta of the times: uvarint, 64 bits two's complement · value code
 *     row 2 and later  0                              delta and value as before
 *                      10 + 1 bit                     delta as before; value in the window there is (0) or in a new one (1)
 *                      110 + 13 bits · value code     step of the delta, two's complement
 *                      1110 + 20 bits · value code
 *                      11110 + 64 bits · value code
 *                      11111                          delta as before, the stale marker
 *
 *     value code       0 as before · 10 in the window there is · 110 in a new window · 111 the stale marker
 *
 * "As before", and the differences in windows, refer to the last value that is not the stale marker, at first to 0.
 */
import { RemoteReadError } from "../remote-read-error.ts";
import { BitCursor } from "./bit-cursor.ts";
import { advanceDelta, advanceTime, checkDelta, checkTime } from "./chunk-time.ts";
import { StartTimes } from "./start-times.ts";
import { HIGH_WORD, isStaleWords, LOW_WORD, wordsOf } from "./value-words.ts";
import { XorValues } from "./xor-values.ts";

/** Bytes of the header. */
const XOR2_HEADER_BYTES = 3;

/** Columns that are decoded besides the times, each with room for all rows. */
export interface Xor2ColumnsWanted {
  readonly values?: Float64Array | undefined;
  readonly startTimestamps?: Float64Array | undefined;
}

/**
 * Decodes a chunk of `count` rows into columns with room for them. `data` is only read, and not kept.
 *
 * @throws RemoteReadError `chunk-malformed`, which names the row, where the bytes end too early, a window is wider than 64
 * bits, or a time, delta or wanted start time is outside ±2^53.
 */
export function decodeXor2(
  data: Uint8Array,
  count: number,
  timestamps: Float64Array,
  { values, startTimestamps }: Xor2ColumnsWanted = {},
): void {
  if (data.length < XOR2_HEADER_BYTES) {
    throw new RemoteReadError("chunk-malformed", `chunk is ${data.length} bytes, its header alone is 3`);
  }
  const cursor = new BitCursor(data, XOR2_HEADER_BYTES, count);
  const starts = new StartTimes(cursor, data[2]!, startTimestamps);
  const reader = new Xor2Reader(cursor);
  const column = values === undefined ? undefined : wordsOf(values);
  for (let row = 0; row < count; row++) {
    cursor.row = row;
    const beforeMs = reader.timeMs;
    const isStale = row === 0 ? reader.readFirst() : row === 1 ? reader.readSecond() : reader.readNext();
    timestamps[row] = reader.timeMs;
    starts.read(row, reader.timeMs, beforeMs);
    if (column !== undefined) {
      column[2 * row + HIGH_WORD] = isStale ? 0x7ff00000 : reader.words[HIGH_WORD]!;
      column[2 * row + LOW_WORD] = isStale ? 2 : reader.words[LOW_WORD]!;
    }
  }
}

/** Reads times and values; every `read` says whether the row is a stale marker. */
class Xor2Reader {
  timeMs = 0;
  /** The last value that is not the stale marker. */
  readonly words = new Int32Array(2);
  readonly #cursor: BitCursor;
  readonly #value = new XorValues(this.words);
  #deltaMs = 0;

  constructor(cursor: BitCursor) {
    this.#cursor = cursor;
  }

  readFirst(): boolean {
    const cursor = this.#cursor;
    cursor.readVarint();
    this.timeMs = checkTime(cursor, cursor.toBigInt());
    this.#value.readFirst(cursor, 0);
    const isStale = isStaleWords(this.words[HIGH_WORD]!, this.words[LOW_WORD]!);
    if (isStale) {
      this.words.fill(0);
    }
    return isStale;
  }

  readSecond(): boolean {
    const cursor = this.#cursor;
    cursor.readUvarint();
    this.#deltaMs = checkDelta(cursor, this.timeMs, cursor.toBigInt());
    this.#advanceTime();
    return this.#readValue();
  }

  readNext(): boolean {
    const cursor = this.#cursor;
    const bits = cursor.peek();
    if (bits >= 0) {
      // Fast path: all as before.
      cursor.advance(1);
      this.#advanceTime();
      return false;
    }
    switch (Math.clz32(~bits)) {
      case 1:
        cursor.advance(3);
        this.#advanceTime();
        if ((bits & 0x20000000) === 0) {
          this.#value.readInWindow(cursor, 0);
        } else {
          this.#value.readInNewWindow(cursor, 0);
        }
        return false;
      case 2:
        cursor.advance(16);
        this.#step((bits << 3) >> 19);
        return this.#readValue();
      case 3:
        cursor.advance(24);
        this.#step((bits << 4) >> 12);
        return this.#readValue();
      case 4:
        cursor.advance(5);
        cursor.read64();
        this.#deltaMs = checkDelta(cursor, this.timeMs, BigInt(this.#deltaMs) + cursor.toBigInt());
        this.#advanceTime();
        return this.#readValue();
      default:
        cursor.advance(5);
        this.#advanceTime();
        return true;
    }
  }

  #step(stepMs: number): void {
    this.#deltaMs = advanceDelta(this.#cursor, this.timeMs, this.#deltaMs, stepMs);
    this.#advanceTime();
  }

  #advanceTime(): void {
    this.timeMs = advanceTime(this.#cursor, this.timeMs, this.#deltaMs);
  }

  /** Reads a value code. */
  #readValue(): boolean {
    const cursor = this.#cursor;
    const bits = cursor.peek();
    if (bits >= 0) {
      cursor.advance(1);
      return false;
    }
    if ((bits & 0x40000000) === 0) {
      cursor.advance(2);
      this.#value.readInWindow(cursor, 0);
      return false;
    }
    cursor.advance(3);
    if ((bits & 0x20000000) !== 0) {
      return true;
    }
    this.#value.readInNewWindow(cursor, 0);
    return false;
  }
}
