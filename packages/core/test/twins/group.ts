/**
 * Grouping without any streaming: collects all series of all sources, puts them into maps by what makes them equal, and
 * sorts everything by UTF-8 bytes. Shares no code with the package.
 */
import { Buffer } from "node:buffer";

export interface SentSeries<Block> {
  readonly labels: readonly string[];
  readonly blocks: readonly Block[];
}

export interface TwinGroup<Block> {
  readonly labels: readonly string[];
  readonly replicas: { readonly source: number; readonly labels: readonly string[]; readonly blocks: Block[] }[];
  united: number;
}

export interface TwinRules {
  readonly replicaLabels: readonly string[];
  readonly replicaOrder: readonly string[];
  readonly orderWithout: readonly string[];
}

/** Orders lists of texts as Go would: each text ends with a byte that is smaller than all in it. */
export function compareBytes(one: readonly string[], other: readonly string[]): number {
  return Buffer.compare(encode(one), encode(other));
}

function encode(texts: readonly string[]): Buffer {
  return Buffer.from(texts.map((text) => `${text}\0`).join(""), "utf8");
}

/** The label set of these names and values, which may come in any order. */
export function makeLabels(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values)
    .toSorted(([one], [other]) => compareBytes([one], [other]))
    .flat();
}

export function dropLabels(labels: readonly string[], names: readonly string[]): string[] {
  return makeLabels(Object.fromEntries(pairs(labels).filter(([name]) => !names.some((dropped) => dropped === name))));
}

/** A source's series as it has to send them; those that are equal to the order stay as they are. */
export function sortAsSent<Block>(series: readonly SentSeries<Block>[], rules: TwinRules): SentSeries<Block>[] {
  const dropped = [...rules.replicaLabels, ...rules.orderWithout];
  return series.toSorted((one, other) =>
    compareBytes(dropLabels(one.labels, dropped), dropLabels(other.labels, dropped)),
  );
}

export function groupAtOnce<Block>(
  sources: readonly (readonly SentSeries<Block>[])[],
  rules: TwinRules,
): TwinGroup<Block>[] {
  const groups = new Map<string, TwinGroup<Block>>();
  const replicas = new Map<string, TwinGroup<Block>["replicas"][number]>();
  for (const [source, all] of sources.entries()) {
    for (const { labels, blocks } of all) {
      const left = dropLabels(labels, rules.replicaLabels);
      const group = groups.get(JSON.stringify(left)) ?? { labels: left, replicas: [], united: 0 };
      groups.set(JSON.stringify(left), group);
      const known = replicas.get(JSON.stringify([source, labels]));
      if (known === undefined) {
        const replica = { source, labels, blocks: [...blocks] };
        replicas.set(JSON.stringify([source, labels]), replica);
        group.replicas.push(replica);
      } else {
        known.blocks.push(...blocks);
        group.united++;
      }
    }
  }
  for (const group of groups.values()) {
    group.replicas.sort(
      (one, other) => compareReplicaLabels(one.labels, other.labels, rules) || one.source - other.source,
    );
  }
  return [...groups.values()].toSorted(
    (one, other) =>
      compareBytes(dropLabels(one.labels, rules.orderWithout), dropLabels(other.labels, rules.orderWithout)) ||
      compareBytes(one.labels, other.labels),
  );
}

function compareReplicaLabels(one: readonly string[], other: readonly string[], rules: TwinRules): number {
  const [values, otherValues] = [one, other].map((labels) =>
    rules.replicaLabels.map((name) => pairs(labels).find(([known]) => known === name)?.[1] ?? ""),
  ) as [string[], string[]];
  for (const listed of rules.replicaOrder) {
    const isFirst = values[0] === listed;
    if (isFirst !== (otherValues[0] === listed)) {
      return isFirst ? -1 : 1;
    }
    if (isFirst) {
      break;
    }
  }
  return compareBytes(values, otherValues);
}

function pairs(labels: readonly string[]): [string, string][] {
  return labels.flatMap((name, index) => (index % 2 === 0 ? [[name, labels[index + 1]!] as [string, string]] : []));
}
