/**
 * Start timestamps in chunks of types 4 to 6: when the counter of a row began, behind each row's other fields.
 *
 *     header, one byte   K, whether row 0 has one · F (7 bits), the row from which on every row has one, 0 for never
 *     row 0              if K: its time less its start, a varint
 *     row F              the time before it less its start, varbit
 *     rows after F       by how much that has changed, varbit
 *
 * Rows between 0 and F have the start of row 0. A start of 0 says that there is none. From Prometheus 3.14,
 * tsdb/chunkenc/st.go.
 */
import type { BitCursor } from "./bit-cursor.ts";
import { TIME_MS_MAX } from "./chunk-time.ts";
import { addInt64 } from "./int64-words.ts";
import { HIGH_WORD, LOW_WORD } from "./value-words.ts";

export class StartTimes {
  readonly #cursor: BitCursor;
  readonly #isFirstKnown: boolean;
  readonly #firstChange: number;
  readonly #column: Float64Array | undefined;
  /** A time less a start time, as words. */
  readonly #difference = new Int32Array(2);

  /** `header` is the chunk's byte about start times; the column, where there is one, is filled row by row. */
  constructor(cursor: BitCursor, header: number, column: Float64Array | undefined) {
    this.#cursor = cursor;
    this.#isFirstKnown = (header & 0x80) !== 0;
    this.#firstChange = header & 0x7f;
    this.#column = column;
  }

  /** Reads what a row says about its start, if anything: `timeMs` is its time, `beforeMs` that of the row before it. */
  read(row: number, timeMs: number, beforeMs: number): void {
    const cursor = this.#cursor;
    const isChanging = this.#firstChange > 0 && row >= this.#firstChange;
    if (row === 0 && this.#isFirstKnown) {
      cursor.readVarint();
      this.#difference[HIGH_WORD] = cursor.high;
      this.#difference[LOW_WORD] = cursor.low;
      this.#store(0, timeMs);
    } else if (isChanging) {
      cursor.readVarbit();
      if (row === this.#firstChange) {
        this.#difference.fill(0);
      }
      addInt64(this.#difference, 0, cursor.high, cursor.low);
      this.#store(row, beforeMs);
    } else if (row > 0 && this.#column !== undefined) {
      this.#column[row] = this.#column[row - 1]!;
    }
  }

  #store(row: number, timeMs: number): void {
    if (this.#column === undefined) {
      return;
    }
    const high = this.#difference[HIGH_WORD]!;
    const low = this.#difference[LOW_WORD]!;
    const startMs = timeMs - (high * 2 ** 32 + (low >>> 0));
    // With a difference beyond ±2^53 the start is outside, too, or it wraps around.
    if (Math.abs(high) >= 2 ** 21 || Math.abs(startMs) > TIME_MS_MAX) {
      const exact = BigInt.asIntN(64, BigInt(timeMs) - ((BigInt(high) << 32n) | BigInt(low >>> 0)));
      if (exact > TIME_MS_MAX || exact < -TIME_MS_MAX) {
        throw this.#cursor.malformed(`start time ${exact} is outside ±2^53`);
      }
      this.#column[row] = Number(exact);
      return;
    }
    this.#column[row] = startMs;
  }
}
