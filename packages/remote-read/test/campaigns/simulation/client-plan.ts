/** The clients of a simulated world as they are drawn: what they ask for and when, how fast they read, and whether they leave. */
import type { Matcher } from "../../../src/reader.ts";
import { SAMPLES, STREAMED } from "../../read-exchange.ts";
import type { Dice } from "./dice.ts";
import { FIRST_SCRAPE_MS } from "./scraped-series.ts";

export interface ClientQueryPlan {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
}

export interface ClientPlan {
  readonly name: string;
  readonly atMs: number;
  readonly queries: readonly ClientQueryPlan[];
  readonly types: readonly number[];
  /** How long it waits before it reads on. */
  readonly pauseMs: number;
  readonly leavesAfterMs: number | undefined;
  readonly leavesBy: "signal" | "body";
}

const EVERY_NAME: Matcher = { type: "=~", name: "__name__", value: ".+" };

export function drawClient(index: number, replicaLabel: string, dice: Dice): ClientPlan {
  const queries = Array.from({ length: dice.chance(0.15) ? 2 : 1 }, (_, number): ClientQueryPlan => {
    // No two queries of a world begin at the same time: so it can be told whose a request to a replica is.
    const startMs = FIRST_SCRAPE_MS - 60_000 + 10 * index + number + (dice.chance(0.5) ? 0 : dice.whole(0, 600) * 1000);
    const further: Matcher[] = dice.chance(0.2) ? [{ type: "!=", name: "__name__", value: "m1" }] : [];
    const ofReplica: Matcher[] = dice.chance(0.1) ? [{ type: "=", name: replicaLabel, value: "A" }] : [];
    return {
      startMs,
      // Scrapes of aligned replicas are at such times: the last may be at the very end.
      endMs: dice.chance(0.6) ? startMs + 3_600_000 : Math.max(startMs, FIRST_SCRAPE_MS + dice.whole(0, 80) * 5000),
      matchers: [EVERY_NAME, ...further, ...ofReplica],
    };
  });
  return {
    name: `client ${index}`,
    atMs: dice.timeMs(0, dice.pick([5, 3000])),
    queries,
    types: dice.pick([[STREAMED], [STREAMED], [SAMPLES], [STREAMED, SAMPLES], []]),
    pauseMs: dice.chance(0.7) ? 0 : dice.chance(0.8) ? dice.timeMs(1, 300) : 5000,
    leavesAfterMs: dice.chance(0.2) ? dice.timeMs(0, 1000) : undefined,
    leavesBy: dice.pick(["signal", "body"]),
  };
}
