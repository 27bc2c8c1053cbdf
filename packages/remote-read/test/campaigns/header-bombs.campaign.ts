/**
 * Blocks that declare more than they hold, up to 4 GiB, a thousand at once, in a process of their own: all are refused, and
 * memory does not grow by what they declare.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";

import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { concatenate, varint } from "../bytes.ts";
import { campaign, type Cases } from "./campaign.ts";
import { below, pick, type Random } from "./mutation.ts";

const AT_ONCE = 1000;
const GROWN_BYTES_MAX = 32 * 1024 * 1024;
/** What a handler takes by default. */
const BYTES_MAX = 32 * 1024 * 1024;

/** What the process says: how many of the refusals were of which code, how many of the answers of which status. */
interface Result {
  readonly codes: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  /** How often a decoder was called, and how often a reader. */
  readonly decoded: number;
  readonly asked: number;
  readonly grown: number;
}

interface Bomb {
  readonly block: Uint8Array;
  /** The code with which it must be refused. */
  readonly code: "limit-exceeded" | "snappy-corrupt";
}

/** A block that declares what its elements do not make. */
function bombOf(random: Random): Bomb {
  const elements: number[] = [];
  let produced = 0;
  for (let left = pick(random, [0, 1, 2, below(random, 500)]); left > 0; left--) {
    if (produced === 0 || random() < 0.1) {
      elements.push(0, 97);
      produced += 1;
    } else {
      // Sixty-four times the byte before.
      elements.push(2 | (63 << 2), 1, 0);
      produced += 64;
    }
  }
  const declared = pick(random, [
    BYTES_MAX - 1,
    BYTES_MAX,
    BYTES_MAX - below(random, 1024),
    produced + 1,
    BYTES_MAX + 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 50,
    BYTES_MAX + below(random, 2 ** 32),
  ]);
  return {
    block: concatenate(varint(declared), Uint8Array.from(elements)),
    code: declared > BYTES_MAX && declared < 2 ** 32 ? "limit-exceeded" : "snappy-corrupt",
  };
}

function takeBombs(cases: Cases): Bomb[] {
  const bombs: Bomb[] = [];
  for (const seed of cases) {
    bombs.push(bombOf(seededRandom(seed)));
    if (bombs.length === AT_ONCE) {
      break;
    }
  }
  return bombs;
}

function drop(bombs: readonly Bomb[]): Result {
  const script = path.join(import.meta.dirname, "header-bombs.mjs");
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, ["--expose-gc", script], {
    input: JSON.stringify(bombs.map(({ block }) => Buffer.from(block).toString("base64"))),
    encoding: "utf8",
  });
  if (status !== 0) {
    throw new Error(`the process ended with ${signal ?? status}: ${stderr}`);
  }
  return JSON.parse(stdout) as Result;
}

campaign(
  "a thousand blocks that declare up to 4 GiB at once take no memory",
  { count: AT_ONCE, of: "header bombs", seconds: 3 },
  (cases) => {
    let grownMax = 0;
    let overLimit = 0;
    let corrupt = 0;
    while (!cases.isOver) {
      const bombs = takeBombs(cases);
      const { codes, statuses, decoded, asked, grown } = drop(bombs);
      const large = bombs.filter(({ code }) => code === "limit-exceeded").length;
      const wrong = bombs.length - large;
      expectRefusals({ codes, statuses }, large, wrong);
      overLimit += large;
      corrupt += wrong;
      if (decoded > 0 || asked > 0) {
        throw new Error(`a decoder was called ${decoded} times, a reader ${asked} times`);
      }
      grownMax = Math.max(grownMax, grown);
      if (grownMax > GROWN_BYTES_MAX) {
        throw new Error(`memory grew by ${grownMax} bytes`);
      }
    }
    return {
      "grown by, MiB": grownMax / 2 ** 20,
      "over the limit": overLimit,
      "caught by the scan": corrupt,
    };
  },
);

/** Each goes through the one door twice, with a decoder of the process and with snappyjs, and through the other once. */
function expectRefusals(result: Pick<Result, "codes" | "statuses">, large: number, wrong: number): void {
  const codes = { "limit-exceeded": 2 * large, "snappy-corrupt": 2 * wrong };
  expect(result).toEqual({
    codes: Object.fromEntries(Object.entries(codes).filter(([, count]) => count > 0)),
    statuses: { 400: large + wrong },
  });
}
