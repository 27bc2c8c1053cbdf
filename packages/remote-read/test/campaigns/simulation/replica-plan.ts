/** The replicas of a simulated world as they are drawn: what each holds, how it is reached, and how likely its answers go wrong. */
import type { LabelSet } from "@promsplice/core";

import { makeLabels } from "../../../../core/test/twins/group.ts";
import type { Dice } from "./dice.ts";
import { scrape, type SeriesKind, type StoredChunk, storeRows, type Target } from "./scraped-series.ts";

/** A series of one replica, with and without what tells the replica apart. */
export interface StoredSeries {
  readonly stored: LabelSet;
  readonly sent: LabelSet;
  readonly kind: SeriesKind;
  readonly chunks: readonly StoredChunk[];
}

interface Restart {
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

/** A target and what it is called. */
export interface NamedTarget extends Target {
  readonly labels: Readonly<Record<string, string>>;
}

export function drawTargets(dice: Dice, onlyCounters: boolean): NamedTarget[] {
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
      // Of two series of one name one may have a label more than the other, or another value of it; where that sorts before an
      // external label, they are sent in another order than that of their whole label sets.
      labels: { __name__: `m${number >> 1}`, app: optional === "" ? `i${number}` : "i", ...own },
    };
  });
  return [...new Map(targets.map((target) => [JSON.stringify(target.labels), target])).values()];
}

export function drawReplica(
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
