/** A pair of real servers, as the command line names it: read, measured, and what went wrong told. */
import type { LabelSet } from "@promsplice/core";
import { type Reading, RemoteReadError } from "@promsplice/remote-read";
import { REPLICA_LETTERS } from "./draw.ts";
import { examinePair, type PairReport } from "./examine.ts";
import type { Stretch } from "./measure.ts";
import type { Pair } from "./pair.ts";
import { Problem } from "./problem.ts";
import { type PairReading, PairReadingError, readPair } from "./read-pair.ts";
import type { Replica } from "./replicas.ts";
import { parseSelector } from "./selector.ts";
import type { Choice } from "./strategies.ts";
import { tellFailure } from "./tell-failure.ts";

/** So many series are drawn. */
const SERIES_MAX = 8;

const DAY_MS = 24 * 3600 * 1000;

export interface NamedPairOptions {
  readonly selector: string;
  readonly range: Stretch;
  readonly replicaLabels: readonly string[];
  readonly choice: Choice;
  /** Given the reading before it begins. */
  readonly onStart: (reading: Reading) => void;
  /** Told what the user should know although the work goes on. */
  readonly onWarning: (message: string) => void;
}

/**
 * Reads two replicas.
 *
 * @throws Problem where neither can be read, or there is nothing to draw.
 */
export async function examineNamedPair(replicas: readonly Replica[], options: NamedPairOptions): Promise<PairReport> {
  const { selector, range, replicaLabels, choice, onStart, onWarning } = options;
  const matchers = parseSelector(selector);
  const dropped = matchers.filter(({ name }) => replicaLabels.includes(name));
  if (dropped.length > 0 && dropped.length < matchers.length) {
    onWarning(`the matcher on ${dropped[0]!.name} is left out, since both replicas are read`);
  }
  const readers = replicas.map(({ reader }) => reader);
  const query = { matchers, range, replicaLabels, choice, seriesMax: SERIES_MAX };
  const reading = await readPair(readers, query, onStart).catch((error: unknown) => {
    throw error instanceof PairReadingError ? tellReadingError(error, replicas, replicaLabels) : error;
  });
  for (const message of tellLeftOut(reading, replicas)) {
    onWarning(message);
  }
  const where = `'${selector}' ${formatRange(range)}`;
  if (reading.report.series === 0) {
    throw new Problem(`no series matches ${where}: check the metric's name, the labels and --range`);
  }
  const report = examinePair(describePair(replicas, reading, selector, range), reading);
  if (report.series.length === 0) {
    throw new Problem(`there is only a single sample for ${where}: choose a longer --range`);
  }
  const differing = findDiffering(reading);
  if (differing.length > 0) {
    onWarning(
      `no series is on both replicas: they differ in ${differing.join(", ")}. If that is what tells the replicas apart, ` +
        `write --replica-label ${differing[0]}`,
    );
  }
  return report;
}

function describePair(replicas: readonly Replica[], { report }: PairReading, selector: string, range: Stretch): Pair {
  const names = replicas.map(({ name }, index) => {
    const failed = report.replicas[index]?.error === undefined ? "" : " (failed)";
    return `${REPLICA_LETTERS[index]} is ${name}${failed}`;
  });
  return {
    title: `Read: ${selector.replaceAll(/\s+/gu, " ")}`,
    name: "pair",
    story: [`${names.join(", ")}.`, `${formatRange(range)}; intervals are estimated.`],
    intervalMs: undefined,
    clock: range.toMs - range.fromMs > DAY_MS ? "date" : "time-of-day",
  };
}

function tellReadingError(
  { report, cause }: PairReadingError,
  replicas: readonly Replica[],
  replicaLabels: readonly string[],
): Problem {
  if (cause instanceof RemoteReadError && cause.code === "matchers-missing") {
    const labels = replicaLabels.join(", ");
    return new Problem(`the selector has nothing but ${labels}, which spliced series do not have: add a metric`, {
      cause,
    });
  }
  const told = report.replicas.flatMap(({ error }, index) =>
    error === undefined ? [] : [`${replicas[index]!.name}: ${tellFailure(error, replicas[index]!)}`],
  );
  return new Problem(told.length > 0 ? told.join("\n") : String(cause), { cause });
}

function tellLeftOut({ report }: PairReading, replicas: readonly Replica[]): string[] {
  return report.replicas.flatMap(({ error, leftOutFrom }, index) => {
    if (error === undefined) {
      return [];
    }
    const { name } = replicas[index]!;
    const since = leftOutFrom === undefined ? "" : ` from ${leftOutFrom} on`;
    return [`going on without ${name}${since}: ${tellFailure(error, replicas[index]!)}`];
  });
}

/** The labels in which the replicas differ, where each has series and no series is on both; else none. */
function findDiffering({ firstAlone, seriesOfBoth, report }: PairReading): string[] {
  const [first, other] = firstAlone;
  const hasFailed = report.replicas.some(({ error }) => error !== undefined);
  return seriesOfBoth > 0 || hasFailed || first === undefined || other === undefined ? [] : compareLabels(first, other);
}

function compareLabels(one: LabelSet, other: LabelSet): string[] {
  const [ones, others] = [one, other].map((labels) => new Map(pairsOf(labels)));
  const names = new Set([...ones!.keys(), ...others!.keys()]);
  return [...names].filter((name) => name !== "__name__" && ones!.get(name) !== others!.get(name));
}

function* pairsOf(labels: LabelSet): Generator<readonly [string, string]> {
  for (let index = 0; index < labels.length; index += 2) {
    yield [labels[index]!, labels[index + 1]!];
  }
}

/** `from 2026-01-15 12:00:00 to 13:00:00 UTC`, or with the date of the end where that is another. */
function formatRange({ fromMs, toMs }: Stretch): string {
  const [from, to] = [fromMs, toMs].map((timeMs) => new Date(timeMs).toISOString().slice(0, 19).replace("T", " "));
  const end = to!.slice(0, 10) === from!.slice(0, 10) ? to!.slice(11) : to!;
  return `from ${from} to ${end} UTC`;
}
