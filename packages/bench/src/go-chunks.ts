/**
 * Compares with the original, Prometheus' `tsdb/chunkenc` in Go, on the same chunks: the two processes take turns, one case
 * at a time, and the least time of all rounds counts.
 *
 *     this    writes chunks ──▶ checks that Go decodes them to the same columns and encodes these to the same bytes
 *     Go      case 0            case 1            …
 *     this              case 0            case 1  …          again and again
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Case } from "./cases.ts";
import { CHUNK_SHAPES, type ChunkShape, nameShape } from "./chunk-fixtures.ts";
import { writeChunksFile } from "./chunks-file.ts";
import { checksumColumns } from "./columns-file.ts";
import { type Ratio, slower } from "./goals.ts";
import type { GoChunksCaseResult } from "./results.ts";
import { takeTurn, warmUp } from "./rounds.ts";
import { makeXorCases, type XorCases } from "./xor-cases.ts";

export const CHUNKS_ROUNDS = 60;
export const CHUNKS_OF_SHAPE = 500;
const WARM_UP_CHUNKS = 4;
const WARM_UPS = 1_000;
/** Rounds that are run but not counted. */
const WARM_UP_ROUNDS = 3;

const DECODE_LIMIT = 0.65;
const DECODE_JITTER_LIMIT = 0.5;
const DECODE_TIMES_LIMIT = 0.4;
const ENCODE_LIMIT = 0.35;
const ENCODE_CONSTANT_LIMIT = 0.8;

/** What the Go program prints of each file. */
interface CheckedLine {
  readonly samples: number;
  readonly checksum: string;
  readonly isSameBytes: boolean;
}

/** What it prints of each turn, in ns a sample. */
interface TurnLine {
  readonly decodeNs: number;
  readonly encodeNs: number;
}

/**
 * Runs all shapes in both languages and prints the times.
 *
 * @throws Error if the two disagree on a value or a byte.
 */
export async function compareChunks(binaryPath: string): Promise<{ cases: GoChunksCaseResult[]; ratios: Ratio[] }> {
  await warmUp(
    CHUNK_SHAPES.flatMap((shape) => casesOf(makeXorCases(shape, WARM_UP_CHUNKS))),
    WARM_UPS,
  );
  const ours = CHUNK_SHAPES.map((shape) => makeXorCases(shape, CHUNKS_OF_SHAPE));
  const folder = mkdtempSync(path.join(os.tmpdir(), "promsplice-bench-"));
  try {
    const files = ours.map(({ chunks }, index) => {
      const filePath = path.join(folder, `${index}.chunks`);
      writeChunksFile(filePath, chunks);
      return filePath;
    });
    const original = new Original(binaryPath, files);
    try {
      const cases = await takeAllTurns(original, ours);
      printCases(cases);
      return { cases, ratios: cases.flatMap((one, index) => makeRatios(CHUNK_SHAPES[index]!, one)) };
    } finally {
      original.end();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function takeAllTurns(original: Original, ours: readonly XorCases[]): Promise<GoChunksCaseResult[]> {
  for (const [index, { columns }] of ours.entries()) {
    const { samples, checksum, isSameBytes } = await original.read<CheckedLine>();
    const name = nameShape(CHUNK_SHAPES[index]!);
    if (samples !== columns.timestamps.length || checksum !== checksumColumns(columns)) {
      throw new Error(`${name}: Go decodes the chunks to other samples`);
    }
    if (!isSameBytes) {
      throw new Error(`${name}: Go encodes the samples to other bytes`);
    }
  }
  const least = ours.map(() => new Float64Array(5).fill(Infinity));
  for (let round = -WARM_UP_ROUNDS; round < CHUNKS_ROUNDS; round++) {
    for (const [index, cases] of ours.entries()) {
      const { decodeNs, encodeNs } = await original.ask<TurnLine>(index);
      const turns = [decodeNs, encodeNs];
      for (const one of casesOf(cases)) {
        turns.push((await takeTurn(one)) / one.inputs);
      }
      if (round >= 0) {
        turns.forEach((ns, column) => {
          least[index]![column] = Math.min(least[index]![column]!, ns);
        });
      }
    }
  }
  return CHUNK_SHAPES.map((shape, index) => {
    const [goDecodeNs, goEncodeNs, ...ourNs] = least[index]!;
    const [decodeNs, decodeTimesNs, encodeNs] = ourNs;
    return {
      name: nameShape(shape),
      goDecodeNs: goDecodeNs!,
      decodeNs: decodeNs!,
      decodeTimesNs: decodeTimesNs!,
      goEncodeNs: goEncodeNs!,
      encodeNs: encodeNs!,
    };
  });
}

function casesOf({ decode, decodeTimes, encode }: XorCases): [decode: Case, decodeTimes: Case, encode: Case] {
  return [decode, decodeTimes, encode];
}

function makeRatios({ kind, hasJitter }: ChunkShape, one: GoChunksCaseResult): Ratio[] {
  const { name, goDecodeNs, goEncodeNs } = one;
  const decodeLimit = hasJitter ? DECODE_JITTER_LIMIT : DECODE_LIMIT;
  const encodeLimit = kind === "constant" ? ENCODE_CONSTANT_LIMIT : ENCODE_LIMIT;
  return [
    slower(`XOR decode, ${name}`, "Go's iterator", one.decodeNs / goDecodeNs, decodeLimit),
    slower(`XOR timestamps, ${name}`, "Go's iterator", one.decodeTimesNs / goDecodeNs, DECODE_TIMES_LIMIT),
    slower(`XOR encode, ${name}`, "Go's appender", one.encodeNs / goEncodeNs, encodeLimit),
  ];
}

function printCases(cases: readonly GoChunksCaseResult[]): void {
  for (const { name, goDecodeNs, decodeNs, decodeTimesNs, goEncodeNs, encodeNs } of cases) {
    console.log(
      `XOR chunks, ${name}: Go decodes in ${goDecodeNs.toFixed(2)}, ours ${decodeNs.toFixed(2)}, timestamps alone ` +
        `${decodeTimesNs.toFixed(2)}; Go encodes in ${goEncodeNs.toFixed(2)}, ours ${encodeNs.toFixed(2)} ns a sample; ` +
        "samples and bytes are equal",
    );
  }
}

/** The Go program, which answers line by line. */
class Original {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(binaryPath: string, files: readonly string[]) {
    this.#process = spawn(binaryPath, files, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  ask<Line>(index: number): Promise<Line> {
    this.#process.stdin.write(`${index}\n`);
    return this.read<Line>();
  }

  async read<Line>(): Promise<Line> {
    const { value, done } = await this.#lines.next();
    if (done === true) {
      throw new Error("the Go program ended too early");
    }
    return JSON.parse(value) as Line;
  }

  end(): void {
    this.#process.stdin.end();
  }
}
