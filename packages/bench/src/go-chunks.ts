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
import type { ChunkCases } from "./chunk-cases.ts";
import { CHUNK_SHAPES, type ChunkShape } from "./chunk-fixtures.ts";
import { writeChunksFile } from "./chunks-file.ts";
import { type Ratio, slower } from "./goals.ts";
import { makeHistogramCases } from "./histogram-cases.ts";
import { HISTOGRAM_KINDS } from "./histogram-fixtures.ts";
import type { GoChunksCaseResult } from "./results.ts";
import { takeTurn, warmUp } from "./rounds.ts";
import { makeXorCases } from "./xor-cases.ts";

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

/** The most that each case should take of Go's time; undefined where that is only good to know. */
interface Limits {
  readonly decode?: number;
  readonly decodeTimes?: number;
  readonly encode?: number;
}

const LIMITS: readonly Limits[] = [...CHUNK_SHAPES.map(limitsOf), ...HISTOGRAM_KINDS.map(() => ({}))];

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
 * Runs all kinds of chunks in both languages and prints the times.
 *
 * @throws Error if the two disagree on a value or a byte.
 */
export async function compareChunks(binaryPath: string): Promise<{ cases: GoChunksCaseResult[]; ratios: Ratio[] }> {
  await warmUp(makeAllCases(WARM_UP_CHUNKS).flatMap(casesOf), WARM_UPS);
  const ours = makeAllCases(CHUNKS_OF_SHAPE);
  const folder = mkdtempSync(path.join(os.tmpdir(), "promsplice-bench-"));
  try {
    const files = ours.map(({ type, chunks }, index) => {
      const filePath = path.join(folder, `${index}.chunks`);
      writeChunksFile(filePath, chunks);
      return `${type}=${filePath}`;
    });
    const original = new Original(binaryPath, files);
    try {
      const cases = await takeAllTurns(original, ours);
      printCases(cases);
      return { cases, ratios: cases.flatMap((one, index) => makeRatios(ours[index]!, one, LIMITS[index]!)) };
    } finally {
      original.end();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function takeAllTurns(original: Original, ours: readonly ChunkCases[]): Promise<GoChunksCaseResult[]> {
  for (const { name, samples, checksum } of ours) {
    const theirs = await original.read<CheckedLine>();
    if (theirs.samples !== samples || theirs.checksum !== checksum) {
      throw new Error(`${name}: Go decodes the chunks to other samples`);
    }
    if (!theirs.isSameBytes) {
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
  return ours.map(({ name }, index) => {
    const [goDecodeNs, goEncodeNs, ...ourNs] = least[index]!;
    const [decodeNs, decodeTimesNs, encodeNs] = ourNs;
    return {
      name,
      goDecodeNs: goDecodeNs!,
      decodeNs: decodeNs!,
      decodeTimesNs: decodeTimesNs!,
      goEncodeNs: goEncodeNs!,
      encodeNs: encodeNs!,
    };
  });
}

function makeAllCases(chunkCount: number): ChunkCases[] {
  return [
    ...CHUNK_SHAPES.map((shape) => makeXorCases(shape, chunkCount)),
    ...HISTOGRAM_KINDS.map((kind) => makeHistogramCases(kind, chunkCount)),
  ];
}

function casesOf({ decode, decodeTimes, encode }: ChunkCases): [decode: Case, decodeTimes: Case, encode: Case] {
  return [decode, decodeTimes, encode];
}

function limitsOf({ kind, hasJitter }: ChunkShape): Limits {
  return {
    decode: hasJitter ? DECODE_JITTER_LIMIT : DECODE_LIMIT,
    decodeTimes: DECODE_TIMES_LIMIT,
    encode: kind === "constant" ? ENCODE_CONSTANT_LIMIT : ENCODE_LIMIT,
  };
}

function makeRatios(cases: ChunkCases, one: GoChunksCaseResult, limits: Limits): Ratio[] {
  const { decodeNs, decodeTimesNs, encodeNs, goDecodeNs, goEncodeNs } = one;
  return [
    slower(cases.decode.name, "Go's iterator", decodeNs / goDecodeNs, limits.decode),
    slower(cases.decodeTimes.name, "Go's iterator", decodeTimesNs / goDecodeNs, limits.decodeTimes),
    slower(cases.encode.name, "Go's appender", encodeNs / goEncodeNs, limits.encode),
  ];
}

function printCases(cases: readonly GoChunksCaseResult[]): void {
  for (const { name, goDecodeNs, decodeNs, decodeTimesNs, goEncodeNs, encodeNs } of cases) {
    console.log(
      `${name}: Go decodes in ${goDecodeNs.toFixed(2)}, ours ${decodeNs.toFixed(2)}, timestamps alone ` +
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
