/** What the demo splices: the same few series as each of two Prometheus servers holds them. */
import type { Series } from "@promsplice/core";

/** What is said about a pair. */
export interface Pair {
  readonly title: string;
  /** One word for tables, of at most nine letters. */
  readonly name: string;
  /** What happened, in lines of at most 76 characters. */
  readonly story: readonly string[];
  /** Time between two scrapes, in milliseconds; undefined where it is to be estimated, series by series. */
  readonly intervalMs: number | undefined;
  /** How to print an instant: as seconds since the first sample, as the time of day, or with the date (both UTC). */
  readonly clock: "elapsed" | "time-of-day" | "date";
}

/** A pair whose samples are at hand. */
export interface StoredPair extends Pair {
  readonly intervalMs: number;
  /** Selects its series. */
  readonly selector: string;
  /** One list of series a server, each in the order of its label sets. */
  readonly servers: readonly (readonly Series[])[];
}
