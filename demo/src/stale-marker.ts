/** Prometheus' stale marker: the NaN with which a server says that a series has ended (model/value/value.go, StaleNaN). */
import type { Columns } from "@promsplice/core";

export const STALE_MARKER_BITS = 0x7ff0000000000002n;

/** The values of a column as bits, over the same memory. */
export function viewBits({ values }: Columns): BigUint64Array {
  return new BigUint64Array(values.buffer, values.byteOffset, values.length);
}
