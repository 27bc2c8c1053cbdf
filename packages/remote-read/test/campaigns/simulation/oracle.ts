/**
 * The answer that a client must get, made the obvious way: everything that the replicas' readers can have passed on, grouped in
 * maps, each series by the step-by-step twin of its strategy. Nothing is streamed, and everything is gone through again and again.
 */
import { chainTwin } from "../../../../core/test/twins/chain.ts";
import { fillTwin } from "../../../../core/test/twins/fill.ts";
import { compareBytes, dropLabels, groupAtOnce } from "../../../../core/test/twins/group.ts";
import { intervalTwin } from "../../../../core/test/twins/interval.ts";
import { penaltyTwin, type Row } from "../../../../core/test/twins/penalty.ts";
import { bitsOf, fromBits } from "../../bytes.ts";
import type { ClientRow } from "../../strict-client.ts";
import type { Connection } from "./connection.ts";
import type { PlainSeries } from "./received-answer.ts";
import { type SentFrame, uniteRows } from "./replica-server.ts";
import type { ClientQueryPlan } from "./client-plan.ts";
import type { World } from "./world.ts";

export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** What is read of the replicas for a query: more than its window where the strategy needs that. */
export function windowOf({ strategy, marginMs }: World, { startMs, endMs }: Window): Window {
  const widerMs = strategy.name === "fill" ? marginMs : 0;
  return { startMs: startMs - widerMs, endMs: endMs + widerMs };
}

/** The frames of a connection of which every byte was handed over as it was. */
export function deliveredFrames({ frames, ends, deliveredBytes, isStreamed, state }: Connection): readonly SentFrame[] {
  if (!isStreamed) {
    return state === "whole" ? frames : [];
  }
  return frames.filter((_, index) => (ends[index] ?? Infinity) <= deliveredBytes);
}

/**
 * The frames of an answer that broke off whose series had their turn before: one waits until a greater one has come, since until
 * then it may go on, or a smaller one may come behind it.
 */
export function passedOnFrames(world: World, connection: Connection, isCollected: boolean): readonly SentFrame[] {
  const delivered = isCollected || !connection.isStreamed ? [] : deliveredFrames(connection);
  const key = ({ labels }: SentFrame): string[] => dropLabels(labels, [world.replicaLabel]);
  return delivered.filter((frame, index) =>
    delivered.slice(index + 1).some((later) => compareBytes(key(later), key(frame)) > 0),
  );
}

/** The series without the replica label, of what each replica's reader has passed on, one list a replica. */
export function spliceAtOnce(
  world: World,
  query: ClientQueryPlan,
  passedOn: readonly (readonly SentFrame[])[],
): PlainSeries[] {
  const window = windowOf(world, query);
  const groups = groupAtOnce(
    passedOn.map((frames) => frames.map(({ labels, chunks }) => ({ labels, blocks: chunks }))),
    { replicaLabels: [world.replicaLabel], replicaOrder: world.replicaOrder, orderWithout: [] },
  );
  return groups.map(({ labels, replicas }) => {
    const rows = replicas.map(({ blocks }) => uniteRows(blocks, window)).filter((list) => list.length > 0);
    const spliced = splice(world, window, rows);
    return { labels, rows: spliced.filter(([timeMs]) => timeMs >= query.startMs && timeMs <= query.endMs) };
  });
}

function splice({ strategy }: World, window: Window, replicas: readonly (readonly ClientRow[])[]): ClientRow[] {
  const rows = replicas.map((list) => list.map((row) => twinRow(row)));
  const twins = {
    penalty: () => penaltyTwin(rows, false),
    counter: () => penaltyTwin(rows, true),
    fill: () => fillTwin(rows, window).samples.map((sample) => ({ ...sample, add: 0 })),
    interval: () => intervalTwin(rows, strategy.intervalMs),
    chain: () => chainTwin(rows),
  };
  return twins[strategy.name]().map(({ replica, row, add }) => raise(replicas[replica]![row]!, add));
}

function twinRow([t, text]: ClientRow): Row {
  if (text.startsWith("{")) {
    return { t, high: 0, low: 0, histogram: 0 };
  }
  return {
    t,
    high: Number.parseInt(text.slice(0, 8), 16) | 0,
    low: Number.parseInt(text.slice(8), 16),
    histogram: undefined,
  };
}

/** What counter mode adds; a stale marker stays what it is. */
function raise([timeMs, text]: ClientRow, add: number): ClientRow {
  const isRaised = add !== 0 && text !== "7ff0000000000002";
  return [timeMs, isRaised ? bitsOf(Float64Array.of(fromBits([text])[0]! + add))[0]! : text];
}
