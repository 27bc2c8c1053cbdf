/**
 * The strategies that a command line names, for `demo` and for `serve`:
 *
 *     --strategy interval --interval 15s
 */
import { chain, fill, interval, penalty, type Strategy } from "@promsplice/core";
import { Problem } from "./problem.ts";
import { parseDuration } from "./time-range.ts";

export type StrategyName = "penalty" | "fill" | "interval" | "chain";

/** In the order in which they are drawn. */
export const STRATEGY_NAMES: readonly StrategyName[] = ["penalty", "fill", "interval", "chain"];

/** What a command line chose. */
export interface Choice {
  readonly name: StrategyName;
  /** The scrape interval in ms; undefined where it was not given. */
  readonly intervalMs: number | undefined;
}

/** What is used where nothing is said. */
export const DEFAULT_CHOICE: Choice = { name: "fill", intervalMs: undefined };

/** The options that both commands have, as `parseArgs` wants them. */
export const STRATEGY_OPTIONS = {
  strategy: { type: "string" },
  interval: { type: "string" },
} as const;

/** Their lines in what `--help` prints. */
export const STRATEGY_HELP: readonly string[] = [
  "  --strategy NAME            fill (default), penalty as Thanos, interval as",
  "                             VictoriaMetrics, or chain: all samples",
  "  --interval DURATION        the scrape interval, such as 15s: interval needs it,",
  "                             fill estimates it where it is not given",
];

export interface StrategyValues {
  readonly strategy?: string | undefined;
  readonly interval?: string | undefined;
}

/** @throws Problem for a name that there is not, and for an interval that is none, is missing, or is not used. */
export function readChoice({ strategy = DEFAULT_CHOICE.name, interval: duration }: StrategyValues): Choice {
  const name = STRATEGY_NAMES.find((known) => known === strategy);
  if (name === undefined) {
    throw new Problem(`there is no strategy ${JSON.stringify(strategy)}: write one of ${STRATEGY_NAMES.join(", ")}`);
  }
  const intervalMs = duration === undefined ? undefined : parseDuration("--interval", duration, "15s, 1m or 5m");
  if (name === "interval" && intervalMs === undefined) {
    throw new Problem("--strategy interval needs the scrape interval: write --interval 15s, or what yours is");
  }
  if (intervalMs !== undefined && name !== "interval" && name !== "fill") {
    throw new Problem(`--interval is for fill and interval: leave it out with --strategy ${name}`);
  }
  return { name, intervalMs };
}

/**
 * @param intervalMs What `interval` needs; `fill` estimates where it is undefined, the others do not look at it.
 * @throws RangeError for `interval` without one.
 */
export function makeStrategy(name: StrategyName, intervalMs: number | undefined): Strategy {
  if (name === "interval") {
    return interval({ intervalMs: intervalMs ?? Number.NaN });
  }
  if (name === "fill") {
    return fill(intervalMs === undefined ? {} : { intervalMs });
  }
  return name === "penalty" ? penalty() : chain();
}
