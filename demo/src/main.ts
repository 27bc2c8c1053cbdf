/** The demo: two pairs of replicas spliced, measured and drawn. All but the last line is the same at every start. */
import { examinePair } from "./examine.ts";
import { readRecordedPair } from "./recordings.ts";
import { writeScreen } from "./screen.ts";
import { makeSeededDay } from "./seeded-day.ts";
import { describeTerminal } from "./terminal.ts";

const startMs = performance.now();
const terminal = describeTerminal(process.stdout.isTTY, process.env);
const reports = [await examinePair(readRecordedPair()), await examinePair(makeSeededDay())];
const samples = reports.reduce((sum, { totals }) => sum + totals.samplesIn, 0);
const lines = writeScreen(reports, terminal);
const seconds = ((performance.now() - startMs) / 1000).toFixed(2);
lines.push(`${samples} samples made, read, spliced, measured and drawn in ${seconds} s.`);
process.stdout.write(`${lines.join("\n")}\n`);
