/** What a seed makes of a simulation: replicas and what they hold, clients and what they ask for, and what goes wrong. */
import { chain, fill, interval, type LabelSet, penalty, type Strategy } from "@promsplice/core";

import type { Matcher } from "../../../src/reader.ts";
import { makeLabels } from "../../../../core/test/twins/group.ts";
import { SAMPLES, STREAMED } from "../../read-exchange.ts";
import { Dice } from "./dice.ts";
import {
  FIRST_SCRAPE_MS,
  scrape,
  type SeriesKind,
  type StoredChunk,
  storeRows,
  type Target,
} from "./scraped-series.ts";

/** A series of one replica, with and without what tells the replica apart. */
export interface StoredSeries {
  readonly stored: LabelSet;
  readonly sent: LabelSet;
  readonly kind: SeriesKind;
  readonly chunks: readonly StoredChunk[];
}

export interface Restart {
  readonly atMs: number;
  readonly downMs: number;
}

export interface ReplicaPlan {
  readonly name: string;
  /** `prometheus` sends in the order of its stored label sets, and a series in several frames; `handler` is one of ours. */
  readonly server: "prometheus" | "handler";
  /** What it holds before its restart and after: then some may be lost, or there twice. */
  readonly before: readonly StoredSeries[];
  readonly after: readonly StoredSeries[];
  readonly restart: Restart | undefined;
  /** How the end of a body can be told. */
  readonly framing: "length" | "chunked" | "none";
  readonly latencyMs: number;
  readonly packetBytesMax: number;
  /** The share of its answers with which something goes wrong. */
  readonly faults: number;
  readonly isCollected: boolean;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  /** How many requests a handler answers at the same time. */
  readonly concurrency: number;
}

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

export interface StrategyPlan {
  readonly name: "penalty" | "counter" | "fill" | "interval" | "chain";
  readonly strategy: Strategy;
  readonly intervalMs: number;
}

export interface World {
  readonly seed: number;
  readonly replicaLabel: string;
  readonly replicaOrder: readonly string[];
  readonly replicas: readonly ReplicaPlan[];
  readonly clients: readonly ClientPlan[];
  readonly strategy: StrategyPlan;
  readonly partial: "one" | "all";
  readonly marginMs: number;
  readonly concurrency: number;
  readonly queue: number;
  readonly queueMs: number;
  readonly writeStallMs: number;
}

const REPLICAS = ["A", "B", "C", "D"];

export function makeWorld(seed: number): World {
  const dice = new Dice(seed, "world");
  const replicaLabel = dice.pick(["replica", "__replica__", "prometheus_replica"]);
  const strategy = drawStrategy(dice);
  const targets = drawTargets(dice, strategy.name === "counter");
  const names = dice.shuffle(REPLICAS.slice(0, dice.whole(2, 4)));
  const isAligned = dice.chance(0.25);
  const cluster: Readonly<Record<string, string>> = dice.chance(0.3) ? { cluster: "c" } : {};
  const faults = dice.pick([0, 0.1, 0.4, 0.8]);
  const replicas = names.map((name) =>
    drawReplica(name, { ...cluster, [replicaLabel]: name }, targets, isAligned, faults, new Dice(seed, name)),
  );
  const clientCount = dice.whole(1, 4);
  return {
    seed,
    replicaLabel,
    replicaOrder: dice.chance(0.2) ? [dice.pick(names)] : [],
    replicas,
    strategy,
    clients: Array.from({ length: clientCount }, (_, index) =>
      drawClient(index, replicaLabel, new Dice(seed, `client ${index}`)),
    ),
    partial: dice.chance(0.15) ? "all" : "one",
    marginMs: dice.pick([0, 60_000, 300_000]),
    concurrency: dice.pick([0, 1, 2, 10]),
    queue: dice.whole(0, 2),
    queueMs: dice.pick([50, 2000]),
    writeStallMs: 4000,
  };
}

function drawStrategy(dice: Dice): StrategyPlan {
  const intervalMs = dice.pick([15_000, 30_000]);
  const name = dice.pick(["penalty", "penalty", "penalty", "counter", "fill", "fill", "interval", "chain"] as const);
  const strategies: Readonly<Record<StrategyPlan["name"], () => Strategy>> = {
    penalty: () => penalty(),
    counter: () => penalty({ counter: true }),
    fill: () => fill(),
    interval: () => interval({ intervalMs }),
    chain: () => chain(),
  };
  return { name, strategy: strategies[name](), intervalMs };
}

interface NamedTarget extends Target {
  readonly labels: Readonly<Record<string, string>>;
}

function drawTargets(dice: Dice, onlyCounters: boolean): NamedTarget[] {
  const kinds: readonly SeriesKind[] = onlyCounters
    ? ["counter"]
    : dice.chance(0.25)
      ? ["gauge", "counter", "histogram"]
      : ["gauge", "counter"];
  const optional = dice.pick(["", "", "az", "zone"]);
  const intervalMs = dice.pick([10_000, 15_000, 15_000, 30_000]);
  const targets = Array.from({ length: dice.whole(1, 6) }, (_, number): NamedTarget => {
    const scrapes = dice.whole(4, 50);
    const own: Record<string, string> =
      optional !== "" && dice.chance(0.6) ? { [optional]: dice.pick(["1", "2"]) } : {};
    return {
      kind: dice.pick(kinds),
      intervalMs,
      scrapes,
      restart: dice.chance(0.4) ? dice.whole(0, scrapes) : scrapes,
      // Of two series of one name one may have a label more than the other, or another value of it.
      labels: { __name__: `m${number >> 1}`, instance: optional === "" ? `i${number}` : "i", ...own },
    };
  });
  return [...new Map(targets.map((target) => [JSON.stringify(target.labels), target])).values()];
}

function drawReplica(
  name: string,
  external: Readonly<Record<string, string>>,
  targets: readonly NamedTarget[],
  isAligned: boolean,
  faults: number,
  dice: Dice,
): ReplicaPlan {
  const server = dice.pick(["prometheus", "handler"] as const);
  const offsetMs = isAligned ? 0 : dice.whole(0, 14_999);
  const jitterMs = isAligned || dice.chance(0.5) ? 0 : 40;
  const misses = dice.pick([0, 0.05, 0.2]);
  const restart = dice.chance(0.25) ? { atMs: dice.timeMs(10, 2500), downMs: dice.timeMs(1, 1500) } : undefined;
  const outcome = dice.pick(["same", "lost", "repeated"] as const);
  const before: StoredSeries[] = [];
  const after: StoredSeries[] = [];
  for (const target of targets.filter(() => dice.chance(0.85))) {
    const { kind, labels } = target;
    const stored = makeLabels(labels);
    const sent = makeLabels({ ...labels, ...external });
    const rows = scrape(target, { offsetMs, jitterMs, misses }, dice);
    const left = outcome === "lost" ? rows.slice(0, -dice.whole(1, 10)) : rows;
    const chunks = storeRows(kind, rows, dice.chance(0.15), dice);
    before.push({ stored, sent, kind, chunks });
    if (restart !== undefined) {
      const again = outcome === "same" ? chunks : storeRows(kind, left, outcome === "repeated", dice);
      after.push({ stored, sent, kind, chunks: again });
    }
  }
  // What sorts whole label sets can send series too early for a reader that leaves one label out of account.
  const hasOptional = targets.some(({ labels }) => "az" in labels || "zone" in labels);
  return {
    name,
    server,
    before,
    after,
    restart,
    framing: dice.pick(["length", "chunked", "chunked", "none"]),
    latencyMs: dice.pick([1, 20, 200]),
    packetBytesMax: dice.pick([30, 200, 1500, 1500, 10_000]),
    faults: dice.chance(0.3) ? 0 : faults,
    isCollected: (server === "handler" && hasOptional) || dice.chance(0.05),
    firstByteMs: 3000,
    idleMs: 2000,
    totalMs: dice.pick([0, 0, 0, 5000]),
    concurrency: dice.pick([1, 2, 10]),
  };
}

const EVERY_NAME: Matcher = { type: "=~", name: "__name__", value: ".+" };

function drawClient(index: number, replicaLabel: string, dice: Dice): ClientPlan {
  const queries = Array.from({ length: dice.chance(0.15) ? 2 : 1 }, (_, number): ClientQueryPlan => {
    // No two queries of a world begin at the same time: so it can be told whose a request to a replica is.
    const startMs = FIRST_SCRAPE_MS - 60_000 + 10 * index + number + (dice.chance(0.5) ? 0 : dice.whole(0, 600) * 1000);
    const further: Matcher[] = dice.chance(0.2) ? [{ type: "!=", name: "__name__", value: "m1" }] : [];
    const ofReplica: Matcher[] = dice.chance(0.1) ? [{ type: "=", name: replicaLabel, value: "A" }] : [];
    return {
      startMs,
      endMs: startMs + (dice.chance(0.6) ? 3_600_000 : dice.whole(0, 400_000)),
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
