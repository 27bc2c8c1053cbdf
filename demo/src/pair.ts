/** What the demo splices: the same few series as each of two Prometheus servers holds them. */
import type { Series } from "@promsplice/core";

export interface Pair {
  readonly title: string;
  /** One word for tables. */
  readonly name: string;
  /** What happened, in lines of at most 76 characters. */
  readonly story: readonly string[];
  /** Time between two scrapes, in milliseconds. */
  readonly intervalMs: number;
  /** How to print an instant: as seconds since the first sample, or as the time of day (UTC). */
  readonly clock: "elapsed" | "time-of-day";
  /** One list of series a server, each in the order of its label sets. */
  readonly servers: readonly (readonly Series[])[];
}
