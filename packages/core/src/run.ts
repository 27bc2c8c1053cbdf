import type { Block } from "./block.ts";

/**
 * A run: rows `start` to `end` (half-open) of one block of one replica, the unit in which a strategy says what the spliced
 * series is made of. Runs come in time order.
 *
 *     replica 0   ──●──●──●──●                    run { replica: 0, start: 0, end: 4 }
 *     replica 1   ─○──○──○──○──○──○──○            run { replica: 1, start: 4, end: 7 }
 *
 * Runs are maximal: one ends only at the end of its block, at a switch, before a row that is left out, or where `add`
 * changes, and never because another replica's block had to be waited for.
 */
export interface Run {
  /** Which replica, as an index into the list that was spliced. */
  readonly replica: number;
  readonly block: Block;
  /** First row. */
  readonly start: number;
  /** One past the last row. */
  readonly end: number;
  /** A number to add to each float of the run that is not a NaN: 0, except under `penalty({ counter: true })`. */
  readonly add: number;
}
