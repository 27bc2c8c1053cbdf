/**
 * The careful half of the XOR decoder: any chunk, every read checked, with a message for what is wrong. The format is drawn
 * in `xor-format.ts`. Of times only what comes as 64 bits is a bigint at first.
 */
import { BitReader } from "./bit-reader.ts";
import { advanceDelta, advanceTime, checkDelta, checkTime } from "./chunk-time.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";

/**
 * Decodes a chunk of `count` rows into columns with room for them; `words`, two words a row, may be missing.
 *
 * @throws RemoteReadError `chunk-malformed`, which names the row.
 */
export function decodeCarefully(
  data: Uint8Array,
  count: number,
  timestamps: Float64Array,
  words: Int32Array | undefined,
): void {
  const reader = new BitReader(data, 2, count);
  const value = new ValueReader(reader);
  let timeMs = 0;
  let deltaMs = 0;
  for (let row = 0; row < count; row++) {
    reader.row = row;
    if (row === 0) {
      const zigzag = reader.readUvarint();
      timeMs = checkTime(reader, (zigzag >> 1n) ^ -(zigzag & 1n));
      value.readFirst();
    } else {
      deltaMs =
        row === 1
          ? checkDelta(reader, timeMs, BigInt.asIntN(64, reader.readUvarint()))
          : readDelta(reader, timeMs, deltaMs);
      timeMs = advanceTime(reader, timeMs, deltaMs);
      value.readNext();
    }
    timestamps[row] = timeMs;
    if (words !== undefined) {
      words[2 * row + HIGH_WORD] = value.high;
      words[2 * row + LOW_WORD] = value.low;
    }
  }
}

function readDelta(reader: BitReader, timeMs: number, deltaMs: number): number {
  if (reader.readBits(1) === 0) {
    return deltaMs;
  }
  const bits = reader.readBits(1) === 0 ? 14 : reader.readBits(1) === 0 ? 17 : reader.readBits(1) === 0 ? 20 : 64;
  if (bits === 64) {
    return checkDelta(reader, timeMs, BigInt(deltaMs) + reader.readInt64());
  }
  const raw = reader.readBits(bits);
  const stepMs = raw > 2 ** (bits - 1) ? raw - 2 ** bits : raw;
  return advanceDelta(reader, timeMs, deltaMs, stepMs);
}

/** Reads values by their difference from the one before; `high` and `low` are the words of the last one read. */
class ValueReader {
  readonly #reader: BitReader;
  #leading = 0;
  #significant = 64;
  high = 0;
  low = 0;

  constructor(reader: BitReader) {
    this.#reader = reader;
  }

  readFirst(): void {
    this.high = this.#reader.readBits(32);
    this.low = this.#reader.readBits(32);
  }

  readNext(): void {
    const reader = this.#reader;
    if (reader.readBits(1) === 0) {
      return;
    }
    if (reader.readBits(1) === 1) {
      this.#leading = reader.readBits(5);
      // 0 stands for 64.
      this.#significant = ((reader.readBits(6) + 63) & 63) + 1;
      if (this.#leading + this.#significant > 64) {
        throw reader.malformed(
          `a window of ${this.#leading} leading and ${this.#significant} significant bits is over 64`,
        );
      }
    }
    const highBits = Math.min(this.#significant, 32 - this.#leading);
    const lowBits = this.#significant - highBits;
    this.high ^= reader.readBits(highBits) << (32 - this.#leading - highBits);
    this.low ^= lowBits === 0 ? 0 : reader.readBits(lowBits) << (32 - lowBits);
  }
}
