/**
 * What the header of a histogram chunk of type 2 or 3 says about counter resets, in the upper two bits of its third byte:
 *
 *     00 unknown   01 no reset before row 0   10 a reset before row 0   11 a gauge, which has none
 *
 * Prometheus 3 reads "unknown" for row 0 of every counter, since the chunk before may be missing; older ones believe it.
 */
import { HINT_GAUGE, HINT_NO_RESET, HINT_RESET, HINT_UNKNOWN } from "./histogram-rows.ts";

/** Bytes of the header, of types 2 and 3, and of 5 and 6. */
export const HISTOGRAM_HEADER_BYTES = 3;

const FLAGS_AT = 2;

/** The two bits for each hint. */
const FLAGS: Uint8Array = new Uint8Array(4);
FLAGS[HINT_UNKNOWN] = 0b00;
FLAGS[HINT_NO_RESET] = 0b01;
FLAGS[HINT_RESET] = 0b10;
FLAGS[HINT_GAUGE] = 0b11;

/** The third byte of a chunk whose first row has the given hint. */
export function flagsOf(hint: number): number {
  return FLAGS[hint]! << 6;
}

/** The chunk without what it says of a reset before row 0; the same bytes where it says nothing, or is of a gauge. */
export function forgetReset(data: Uint8Array): Uint8Array {
  const flags = data[FLAGS_AT]! >>> 6;
  if (flags === FLAGS[HINT_UNKNOWN] || flags === FLAGS[HINT_GAUGE]) {
    return data;
  }
  const copy = data.slice();
  copy[FLAGS_AT]! &= 0x3f;
  return copy;
}
