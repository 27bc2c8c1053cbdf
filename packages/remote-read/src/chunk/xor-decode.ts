/** Decodes XOR chunks into columns. The format is drawn in `xor-format.ts`. */
import { RemoteReadError } from "../remote-read-error.ts";
import { decodeCarefully } from "./xor-careful.ts";
import { copyRows, decodeFast, decodeTimesFast, takeChunk, ROW_TIMES, ROW_WORDS } from "./xor-fast.ts";

/**
 * Decodes a chunk into columns from `row` on and returns the number of rows, which is the first two bytes of `data`. Without
 * `values` only the times are decoded, for half the work. `data` is only read, and not kept.
 *
 * Ordinary chunks go through the fast decoder. What it refuses (times that are 2^48 ms or more from the epoch, a first delta
 * of 2^28 or more, any of 2^30, 64-bit steps, malformed chunks) is decoded from the start by the careful one, so hostile
 * bytes cost both at most; both are linear in the rows.
 *
 * @throws RemoteReadError `chunk-malformed` where the bytes end too early, a window is wider than 64 bits, or a time or delta
 * is outside ±2^53, with the row; the columns then hold what they held. RangeError if the columns have no room.
 */
export function decodeXor(data: Uint8Array, timestamps: Float64Array, values?: Float64Array, row = 0): number {
  if (data.length < 2) {
    throw new RemoteReadError("chunk-malformed", `chunk is ${data.length} bytes, its header alone is 2`);
  }
  const count = (data[0]! << 8) | data[1]!;
  const room = Math.min(timestamps.length, values?.length ?? Infinity) - row;
  if (row < 0 || count > room) {
    throw new RangeError(`chunk has ${count} rows, the columns have room for ${room} from row ${row} on`);
  }
  const bytes = takeChunk(data);
  const isDecoded = values === undefined ? decodeTimesFast(bytes) : decodeFast(bytes);
  if (!isDecoded) {
    decodeCarefully(data, count, ROW_TIMES, values === undefined ? undefined : ROW_WORDS);
  }
  copyRows(count, timestamps, values, row);
  return count;
}
