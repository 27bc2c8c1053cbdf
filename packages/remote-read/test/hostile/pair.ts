/**
 * A pair of which one member, or both, answers as no good server would: what each holds, what is asked, and what the answer
 * must be. Series are told apart by their times, replicas too.
 *
 *     series        m1  m2  m3  m4  m5  m6
 *     hostile       ●   ●   ●       ●   ●          m2 it has alone, m4 only the other has
 *     whole one     ●       ●   ●   ●   ●
 */
import type { ReplicaReport } from "../../src/reader.ts";
import { spliceNaively } from "../naive-splice.ts";
import { queryOf, steadyRows } from "../read-exchange.ts";
import type { SeenSeries } from "../served-pair.ts";
import type { ClientRow } from "../strict-client.ts";

/** A series as a replica holds it. */
export interface HeldSeries {
  readonly name: string;
  /** The value of its replica label; none has none. */
  readonly replica: string | undefined;
  readonly rows: readonly ClientRow[];
}

const START_MS = 1_700_000_000_000;
const HOSTILE_NAMES = ["m1", "m2", "m3", "m5", "m6"];
const WHOLE_NAMES = ["m1", "m3", "m4", "m5", "m6"];
/** Where each replica has a gap, in rows: within the second of its chunks of 10, and within the third. */
const GAPS = { A: [13, 18], B: [23, 28] } as const;
export const CHUNK_ROWS = 10;

/** Which member of the pair is the hostile one. */
export type Side = "A" | "B";
export const SIDES: readonly Side[] = ["A", "B"];

/** A little narrower than what is held, so that what a server sends is clipped. */
export const QUERY = queryOf([["=~", "__name__", "m[0-9]"]], START_MS + 30_000, START_MS + 33 * 15_000);

export function heldBy(side: Side, isHostile: boolean): HeldSeries[] {
  return (isHostile ? HOSTILE_NAMES : WHOLE_NAMES).map((name) => ({
    name,
    replica: side,
    rows: rowsOf(name, side),
  }));
}

function rowsOf(name: string, side: Side): ClientRow[] {
  const [gapStart, gapEnd] = GAPS[side];
  const startMs = START_MS + 100 * Number(name.slice(1)) + (side === "A" ? 0 : 2000);
  return steadyRows(startMs, 35).filter((_, row) => row < gapStart || row >= gapEnd);
}

/**
 * The spliced answer over what replicas hold, in the order in which they are spliced; equal series of one replica are united,
 * of two rows at one time the first is taken.
 */
export function spliceHeld(replicas: readonly (readonly HeldSeries[])[]): SeenSeries[] {
  const names = [...new Set(replicas.flat().map(({ name }) => name))].toSorted();
  return names.flatMap((name): SeenSeries[] => {
    const members = replicas.flatMap((held, source) => {
      const mine = held.filter((series) => series.name === name);
      const values = [...new Set(mine.map(({ replica = "" }) => replica))];
      return values.map((replica) => {
        const equal = mine.filter((series) => (series.replica ?? "") === replica);
        return { replica, source, rows: clip(unite(equal)) };
      });
    });
    const inOrder = members.toSorted((one, other) =>
      one.replica === other.replica ? one.source - other.source : one.replica < other.replica ? -1 : 1,
    );
    const rows = spliceNaively(inOrder.map((member) => member.rows));
    return rows.length === 0 ? [] : [[`__name__ ${name}`, rows]];
  });
}

function unite(equal: readonly HeldSeries[]): ClientRow[] {
  const rows = new Map(equal.flatMap((series) => series.rows).toReversed());
  return [...rows].toSorted(([one], [other]) => one - other);
}

function clip(rows: readonly ClientRow[]): ClientRow[] {
  return rows.filter(([timeMs]) => timeMs >= QUERY.startMs && timeMs <= QUERY.endMs);
}

/** What counts of a hostile replica, going by what is reported of it: all before the series from which it was left out. */
export function countedOf(held: readonly HeldSeries[], { error, leftOutFrom }: ReplicaReport): readonly HeldSeries[] {
  return error === undefined ? held : held.filter(({ name }) => leftOutFrom !== undefined && name < leftOutFrom);
}
