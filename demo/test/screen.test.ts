import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { examineStoredPairs } from "../src/embedded.ts";
import type { PairReport } from "../src/examine.ts";
import { readRecordedPair } from "../src/recordings.ts";
import { SCREEN_WIDTH } from "../src/report.ts";
import { writeScreen } from "../src/screen.ts";
import { makeSeededDay } from "../src/seeded-day.ts";
import { describeTerminal } from "../src/terminal.ts";

const UTF8 = { LANG: "C.UTF-8" };
const ESCAPE = "\u001B";

describe("the screen", () => {
  let reports: PairReport[];

  beforeAll(async () => {
    reports = await examineStoredPairs([readRecordedPair(), makeSeededDay()]);
  });

  function write(isTty: boolean, environment: Record<string, string>): string {
    return writeScreen(reports, describeTerminal(isTty, environment)).join("\n");
  }

  it("is at most 80 characters wide", () => {
    const lines = write(false, UTF8).split("\n");
    expect(lines.filter((line) => [...line].length > SCREEN_WIDTH)).toEqual([]);
  });

  it("has no escape codes without a TTY, with NO_COLOR, or on a dumb terminal", () => {
    expect(write(false, UTF8)).not.toContain(ESCAPE);
    expect(write(true, { ...UTF8, NO_COLOR: "1" })).not.toContain(ESCAPE);
    expect(write(true, { ...UTF8, NO_COLOR: "1", FORCE_COLOR: "1" })).not.toContain(ESCAPE);
    expect(write(true, { ...UTF8, TERM: "dumb" })).not.toContain(ESCAPE);
  });

  it("has colours on a TTY or where they are forced, and the same text beneath them", () => {
    const plain = write(false, UTF8);
    for (const coloured of [write(true, UTF8), write(false, { ...UTF8, FORCE_COLOR: "1" })]) {
      expect(coloured).toContain(ESCAPE);
      expect(coloured.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, "g"), "")).toBe(plain);
    }
  });

  it("takes an empty NO_COLOR for none, as no-color.org has it", () => {
    expect(write(true, { ...UTF8, NO_COLOR: "" })).toContain(ESCAPE);
  });

  it("is plain ASCII where the locale is not UTF-8, LC_ALL first", () => {
    for (const environment of [{}, { LANG: "C" }, { ...UTF8, LC_ALL: "C" }]) {
      expect(write(false, environment)).toMatch(/^[\n\u0020-\u007E]*$/);
    }
  });

  it("says what the readings took: all bytes, and of the idle replica's blocks at most a few", () => {
    const [recorded, day] = reports;
    const text = write(false, UTF8);
    for (const { pair, reading, blocksSent } of reports) {
      const numbers = `${reading.series} +${blocksSent} +${reading.blocksDecoded} +${reading.blocksPassedOn}`;
      expect(text).toMatch(new RegExp(`\n  ${pair.name} +${(reading.bytes / 1000).toFixed(1)} kB +${numbers}\n`, "u"));
    }
    expect(recorded).toMatchObject({ blocksSent: 8, reading: { series: 4, blocksDecoded: 8, blocksPassedOn: 0 } });
    expect(day!.blocksSent).toBeGreaterThan(6 * 45);
    // The followed replica's, and of the other one those in which a missed scrape is filled: every second.
    expect(day!.reading.blocksDecoded).toBeLessThan(day!.blocksSent * 0.8);
    expect(day!.reading.blocksPassedOn).toBeGreaterThan(day!.blocksSent * 0.25);
    expect(day!.reading.bytes).toBeLessThan(day!.totals.samplesIn * 3);
  });

  it("took less with penalty, which does not look at the idle replica where a scrape is missed", async () => {
    const choice = { name: "penalty", intervalMs: undefined } as const;
    const [day] = await examineStoredPairs([makeSeededDay()], undefined, choice);
    expect(day!.reading.blocksDecoded).toBeLessThan(day!.blocksSent * 0.6);
    // Of 140 blocks of output those are made anew in which a hole or a switch is.
    expect(day!.reading.blocksPassedOn).toBeGreaterThan(day!.blocksSent * 0.4);
  });

  it("points at the hole that penalty leaves where a replica stops", () => {
    const text = write(false, UTF8);
    expect(text).toContain("^ 2.2 s hole at 67.0 s: A is silent for 14.0 s. B has 2 samples there, but");
    expect(text).toContain("^ 13.2 s hole at 67.0 s: A is silent for 14.0 s. B has 13 samples there,");
    expect(text).toContain("x 15.0 s hole at 35.0 s: neither replica has a sample");
  });
});

describe("the program", () => {
  it("prints the same each time but for its last line, plain into a pipe, in under ten seconds", () => {
    const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
    const { NO_COLOR: _noColor, FORCE_COLOR: _forceColor, ...environment } = process.env;
    const startMs = performance.now();
    const [first, second] = [0, 1].map(() =>
      spawnSync(process.execPath, [program], { encoding: "utf8", env: environment }),
    );
    expect(performance.now() - startMs).toBeLessThan(20_000);
    expect([first!.status, first!.stderr, second!.status, second!.stderr]).toEqual([0, "", 0, ""]);
    expect(first!.stdout).not.toContain(ESCAPE);
    const [lines, others] = [first!, second!].map(({ stdout }) => stdout.trimEnd().split("\n"));
    expect(lines!.length).toBeGreaterThan(80);
    expect(lines!.slice(0, -1)).toEqual(others!.slice(0, -1));
    expect(lines!.at(-1)).toMatch(/^\d+ samples made, read, spliced, measured and drawn in \d+\.\d\d s\.$/);
  });
});
