/**
 * Reads a chunk bit by bit, the highest bit of each byte first, for all kinds but XOR. Numbers of 64 bits come as two words,
 * so that they are exact without an object each:
 *
 *     cursor.readVarbit()     high │ low     both int32, together two's complement, or the bits of a float
 *
 * The chunk is copied to a buffer of this module, with room behind it, so that 32 bits can be looked at wherever the cursor
 * stands; whether the chunk has ended before is checked each time that the cursor moves. One chunk is read at a time.
 *
 * Varbit numbers, tsdb/chunkenc/varbit.go of Prometheus 3.14:
 *
 *     0 · 10 + 3 bits · 110 + 6 · 1110 + 9 · 11110 + 12 · 111110 + 18 · 1111110 + 25 · 11111110 + 56 · 11111111 + 64
 *
 * In signed ones the pattern 100…0 means +2^(n−1), except in 64 bits.
 */
import { RemoteReadError } from "../remote-read-error.ts";
import { carryOf } from "./int64-words.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";

/** How far behind the cursor a look may reach: 64 bits and what is left of a byte. */
const SLACK_BYTES = 16;

/** Longer chunks than any real one get a buffer of their own, which does not stay. */
const SHARED_BYTES = 65_536;

const sharedBytes: Uint8Array = new Uint8Array(SHARED_BYTES);
const sharedView: DataView = new DataView(sharedBytes.buffer);

/** How many bits follow so many leading ones and a zero. */
const PAYLOAD_BITS: Uint8Array = Uint8Array.of(0, 3, 6, 9, 12, 18, 25);

/** How long a number is that begins with these eight bits. */
const VARBIT_BITS: Uint8Array = Uint8Array.from({ length: 256 }, (_, head) => {
  const ones = Math.clz32(~(head << 24));
  return ones < 7 ? ones + 1 + PAYLOAD_BITS[ones]! : ones === 7 ? 64 : 72;
});

/** Constants of this module rather than imports, which the compiler does not fold into the loop. */
const HIGH: number = HIGH_WORD;
const LOW: number = LOW_WORD;

export class BitCursor {
  /** The upper half of what was read last. */
  high = 0;
  /** The lower half of what was read last. */
  low = 0;
  /** The row that is being read, for messages. */
  row = 0;
  /** Over the chunk's copy, for loops that look at bits themselves. */
  readonly view: DataView;
  /** Where the cursor stands, in bits from the chunk's beginning; to be moved by {@link moveTo}. */
  position: number;
  readonly #count: number;
  readonly #end: number;

  /** Reads `data` from byte `start` on; `count` is the number of rows that its header claims. */
  constructor(data: Uint8Array, start: number, count: number) {
    const isShort = data.length + SLACK_BYTES <= SHARED_BYTES;
    const bytes = isShort ? sharedBytes : new Uint8Array(data.length + SLACK_BYTES);
    bytes.set(data);
    this.view = isShort ? sharedView : new DataView(bytes.buffer);
    this.#count = count;
    this.#end = data.length * 8;
    this.position = start * 8;
  }

  /** How many bits are left. */
  get bitsLeft(): number {
    return this.#end - this.position;
  }

  /** The next 32 bits, without moving on; what is behind the chunk's end may be anything. */
  peek(): number {
    const view = this.view;
    const at = this.position >>> 3;
    const shift = this.position & 7;
    return (view.getInt32(at) << shift) | ((view.getUint8(at + 4) << shift) >>> 8);
  }

  /** Moves to a bit position, which must not be behind the chunk's end. */
  moveTo(position: number): void {
    this.position = position;
    this.advance(0);
  }

  /** Moves on by so many bits. */
  advance(count: number): void {
    this.position += count;
    if (this.position > this.#end) {
      throw this.malformed(`the chunk's ${this.#end / 8} bytes end there, its header claims ${this.#count} rows`);
    }
  }

  /** The next `count` bits (at most 25) as an unsigned number. */
  readBits(count: number): number {
    const bits = this.peek() >>> (32 - count);
    this.advance(count);
    return bits;
  }

  /** The next 64 bits. */
  read64(): void {
    this.high = this.peek();
    this.advance(32);
    this.low = this.peek();
    this.advance(32);
  }

  /** The 64 bits from `before` bits before the cursor on, without moving. So many must have been read. */
  read64From(before: number): void {
    const view = this.view;
    const from = this.position - before;
    const at = from >>> 3;
    const shift = from & 7;
    const second = view.getInt32(at + 4);
    this.high = (view.getInt32(at) << shift) | (((second >>> 24) << shift) >>> 8);
    this.low = (second << shift) | ((view.getUint8(at + 8) << shift) >>> 8);
  }

  /** A signed varbit number. */
  readVarbit(): void {
    const bits = this.peek();
    const ones = Math.clz32(~bits);
    if (ones === 0) {
      // Fast path: 0, as most differences of differences are.
      this.high = 0;
      this.low = 0;
      this.advance(1);
    } else if (ones < 7) {
      const payload = PAYLOAD_BITS[ones]!;
      const half = (1 << (payload - 1)) - 1;
      const raw = (bits << (ones + 1)) >>> (32 - payload);
      this.low = ((raw + half) & (2 * half + 1)) - half;
      this.high = this.low >> 31;
      this.advance(ones + 1 + payload);
    } else {
      this.#readWide(ones);
      if (ones === 7 && (this.high > 0x800000 || (this.high === 0x800000 && this.low !== 0))) {
        this.high |= 0xff000000;
      }
    }
  }

  /** A varbit number that is not negative. */
  readUvarbit(): void {
    const bits = this.peek();
    const ones = Math.clz32(~bits);
    if (ones < 7) {
      const payload = PAYLOAD_BITS[ones]!;
      this.low = payload === 0 ? 0 : (bits << (ones + 1)) >>> (32 - payload);
      this.high = 0;
      this.advance(ones + 1 + payload);
    } else {
      this.#readWide(ones);
    }
  }

  /** Moves behind so many varbit numbers. */
  skipVarbits(count: number): void {
    const { view } = this;
    const end = this.#end;
    let position = this.position;
    for (let left = count; left > 0 && position <= end; left--) {
      const bits = view.getInt32(position >>> 3) << (position & 7);
      // Fast path: 0, as most differences of differences are. The other bit patterns of a number's head are 8 bits at most.
      position += bits >= 0 ? 1 : VARBIT_BITS[bits >>> 24]!;
    }
    this.moveTo(position);
  }

  /**
   * Reads a signed varbit number for each of the numbers `start` to `end` of `deltas`, adds it there, and what that becomes to
   * `words`: columns as `int64-words.ts` has them.
   */
  readSteps(deltas: Int32Array, words: Int32Array, start: number, end: number): void {
    const { view } = this;
    const limit = this.#end;
    let position = this.position;
    for (let index = start; index < end; index++) {
      const low = 2 * index + LOW;
      const high = 2 * index + HIGH;
      let deltaLow = deltas[low]!;
      let deltaHigh = deltas[high]!;
      const shift = position & 7;
      const bits = (view.getInt32(position >>> 3) << shift) | ((view.getUint8((position >>> 3) + 4) << shift) >>> 8);
      if (bits >= 0) {
        // Fast path: 0, as most differences of differences are, and most deltas where nothing happens.
        position += 1;
        if ((deltaLow | deltaHigh) === 0 && position <= limit) {
          continue;
        }
      } else {
        let stepLow = 0;
        let stepHigh = 0;
        const ones = Math.clz32(~bits);
        if (ones < 7) {
          const payload = PAYLOAD_BITS[ones]!;
          const half = (1 << (payload - 1)) - 1;
          stepLow = ((((bits << (ones + 1)) >>> (32 - payload)) + half) & (2 * half + 1)) - half;
          stepHigh = stepLow >> 31;
          position += ones + 1 + payload;
        } else {
          this.position = position;
          this.readVarbit();
          position = this.position;
          stepLow = this.low;
          stepHigh = this.high;
        }
        const sum = (deltaLow + stepLow) | 0;
        deltaHigh = (deltaHigh + stepHigh + carryOf(deltaLow, stepLow, sum)) | 0;
        deltaLow = sum;
        deltas[low] = deltaLow;
        deltas[high] = deltaHigh;
      }
      if (position > limit) {
        break;
      }
      const wordLow = words[low]!;
      const sum = (wordLow + deltaLow) | 0;
      words[high] = (words[high]! + deltaHigh + carryOf(wordLow, deltaLow, sum)) | 0;
      words[low] = sum;
    }
    this.moveTo(position);
  }

  /** A varint of at most 64 bits, in whole groups of 8 bits from here on. */
  readUvarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.readBits(8);
      const bits = byte & 127;
      if (shift < 32) {
        low |= bits << shift;
      }
      if (shift > 25) {
        high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
      }
      if (byte < 128) {
        if (shift === 63 && byte > 1) {
          break;
        }
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw this.malformed("its varint is longer than 64 bits");
  }

  /** A signed varint: zigzag, so that the lowest bit says whether the number is negative. */
  readVarint(): void {
    this.readUvarint();
    const sign = -(this.low & 1);
    this.low = ((this.low >>> 1) | (this.high << 31)) ^ sign;
    this.high = (this.high >>> 1) ^ sign;
  }

  /** What was read last, as a signed number. */
  toBigInt(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }

  /** The error for what is wrong in the row that is being read. */
  malformed(problem: string): RemoteReadError {
    return new RemoteReadError("chunk-malformed", `row ${this.row}: ${problem}`);
  }

  #readWide(ones: number): void {
    this.advance(8);
    if (ones === 7) {
      this.high = this.readBits(24);
      this.low = this.peek();
      this.advance(32);
    } else {
      this.read64();
    }
  }
}
