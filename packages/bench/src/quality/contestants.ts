/** The strategies that the benchmark of quality runs, each as it is used in a cell. */
import { chain, fill, interval, penalty, type Strategy } from "@promsplice/core";

export type Contestant =
  | "penalty"
  | "penalty counter"
  | "interval"
  | "union"
  | "fill"
  | "fill given"
  | "fill counter"
  | "fill given counter";

const MAKERS: Readonly<Record<Contestant, (intervalMs: number) => Strategy>> = {
  penalty: () => penalty(),
  "penalty counter": () => penalty({ counter: true }),
  interval: (intervalMs) => interval({ intervalMs }),
  union: () => chain(),
  fill: () => fill(),
  "fill given": (intervalMs) => fill({ intervalMs }),
  "fill counter": () => fill({ counter: true }),
  "fill given counter": (intervalMs) => fill({ intervalMs, counter: true }),
};

/** In the order of the tables. */
export const CONTESTANTS: readonly Contestant[] = Object.keys(MAKERS) as Contestant[];

/** A strategy of its own, for replicas that scrape every `intervalMs`. */
export function makeContestant(contestant: Contestant, intervalMs: number): Strategy {
  return MAKERS[contestant](intervalMs);
}

/**
 * How many scrapes of each replica, after the left edge of a window, must have gone by before what is shown no longer hangs on
 * where the window begins, besides 2 intervals: as `fill` states it, those from which an interval is estimated.
 */
export function marginScrapes(contestant: Contestant): number {
  return contestant === "fill" || contestant === "fill counter" ? 16 : 0;
}
