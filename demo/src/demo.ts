/**
 * `npm run demo`: pairs of replicas read over HTTP, spliced, measured and drawn. Without options two replicas that are started
 * here serve what is read, and all but the last line is the same at every start; with options it reads servers of yours.
 */
import type { Reading } from "@promsplice/remote-read";
import { formatMessage, parseOptions, runCommand, type Surroundings } from "./command.ts";
import { examineStoredPairs } from "./embedded.ts";
import type { PairReport } from "./examine.ts";
import { formatBytes } from "./format.ts";
import { examineNamedPair, type NamedPairOptions } from "./named-pair.ts";
import { Problem } from "./problem.ts";
import { startProgress } from "./progress.ts";
import { readRecordedPair } from "./recordings.ts";
import { openReplicas, readReplicaLabels, REPLICA_HELP, REPLICA_OPTIONS } from "./replicas.ts";
import { writeScreen } from "./screen.ts";
import { makeSeededDay } from "./seeded-day.ts";
import { readChoice, STRATEGY_HELP, STRATEGY_OPTIONS } from "./strategies.ts";
import { describeTerminal } from "./terminal.ts";
import { parseTimeRange } from "./time-range.ts";

const NAME = "demo";

const OPTIONS = {
  ...REPLICA_OPTIONS,
  ...STRATEGY_OPTIONS,
  selector: { type: "string" },
  range: { type: "string", default: "1h" },
  end: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const HELP = [
  "npm run demo",
  "  splices a recorded pair and a generated day, which two replicas serve that are",
  "  started for it",
  "",
  "npm run demo -- --replica URL --replica URL --selector 'up{job=\"node\"}'",
  "  does the same with two Prometheus servers of yours",
  "",
  ...REPLICA_HELP,
  ...STRATEGY_HELP,
  "  --selector SELECTOR        which series, as in PromQL",
  "  --range DURATION           how much time: 30m, 1h30m, 2d; default: 1h",
  "  --end TIME                 up to when, as RFC 3339 or Unix time; default: now",
];

/** Runs the demo with the words after its name; gives the exit code. */
export async function runDemo(words: readonly string[], surroundings: Surroundings): Promise<number> {
  return runCommand(NAME, surroundings.stderr, async () => {
    const { stdout, environment } = surroundings;
    const startMs = performance.now();
    const values = parseOptions(words, OPTIONS);
    if (values.help === true) {
      stdout.write(`${HELP.join("\n")}\n`);
      return;
    }
    const reports = await showProgress(surroundings, async (onStart, onWarning) =>
      words.length === 0
        ? examineStoredPairs([readRecordedPair(), makeSeededDay()], onStart)
        : [await examineOptions(values, environment, { onStart, onWarning })],
    );
    const samples = reports.reduce((sum, { totals }) => sum + totals.samplesIn, 0);
    const lines = writeScreen(reports, describeTerminal(stdout.isTTY === true, environment));
    const seconds = ((performance.now() - startMs) / 1000).toFixed(2);
    const verbs = words.length === 0 ? "made, read, spliced" : "read, spliced";
    lines.push(`${samples} samples ${verbs}, measured and drawn in ${seconds} s.`);
    stdout.write(`${lines.join("\n")}\n`);
  });
}

async function examineOptions(
  values: ReturnType<typeof parseOptions<typeof OPTIONS>>,
  environment: Surroundings["environment"],
  listeners: Pick<NamedPairOptions, "onStart" | "onWarning">,
): Promise<PairReport> {
  const choice = readChoice(values);
  const replicas = openReplicas(values, environment);
  if (replicas.length > 2) {
    throw new Problem(`${replicas.length} replicas are named: the demo draws pairs, name two`);
  }
  if (values.selector === undefined) {
    throw new Problem("no series are selected: write --selector, such as --selector up");
  }
  return examineNamedPair(replicas, {
    selector: values.selector,
    range: parseTimeRange(values.range, values.end, Date.now()),
    replicaLabels: readReplicaLabels(values),
    choice,
    ...listeners,
  });
}

/** Runs what reads, with a line on how far it has come; its warnings are written when that line is gone. */
async function showProgress<T>(
  { stderr, environment }: Surroundings,
  run: (onStart: (reading: Reading) => void, onWarning: (message: string) => void) => Promise<T>,
): Promise<T> {
  const warnings: string[] = [];
  let current: Reading | undefined;
  const stop = startProgress(stderr, environment, () => {
    const { series, bytes } = current?.report() ?? { series: 0, bytes: 0 };
    return `reading: ${series} series, ${formatBytes(bytes)}`;
  });
  try {
    return await run(
      (reading) => {
        current = reading;
      },
      (message) => warnings.push(message),
    );
  } finally {
    stop();
    for (const message of warnings) {
      stderr.write(`${formatMessage(NAME, `warning: ${message}`)}\n`);
    }
  }
}
