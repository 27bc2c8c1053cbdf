/** `fill` handed on again and again: each link saves at some need or step, throws its blocks away, and is gone. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Block } from "../src/block.ts";
import { open, save } from "../src/checkpoint.ts";
import { type Checkpoint, splice, type Splicing } from "../src/index.ts";
import { drawFillCase, expectedLines, seeds, strategyOf } from "./fill-generators.ts";
import { cut, formatRun } from "./samples.ts";
import type { Row } from "./twins/penalty.ts";

/** What a reader throws to end a splice while that waits for a block. */
class Stopped extends Error {}

/** The blocks that are still needed, cut anew; `onNeed` is called when one is asked for. */
function readFrom(
  replicas: readonly (readonly Row[])[],
  resume: Checkpoint | undefined,
  onNeed: () => void,
  random: () => number,
): Iterable<Block>[] {
  return replicas.map((rows, replica) => {
    const fromMs = resume?.resumeFromMs[replica] ?? -Infinity;
    const rowsMax = random() < 0.3 ? 1 : random() < 0.7 ? 12 : 60;
    const blocks = cut(
      rows.filter(({ t }) => t >= fromMs),
      () => 1 + random() * (rowsMax - 1),
    );
    return (function* () {
      for (const block of blocks) {
        onNeed();
        yield block;
      }
      onNeed();
    })();
  });
}

test("shows the same samples however often it is handed on, at any need or step", () => {
  let links = 0;
  fc.assert(
    fc.property(seeds, (seed) => {
      const { replicas, options, random } = drawFillCase(seed);
      const { startMs, endMs } = options;
      const lines: string[] = [];
      let resume: Checkpoint | undefined;
      for (let isOver = false; !isOver;) {
        let left = Math.floor(random() ** 2 * 30);
        let saved: Uint8Array | undefined;
        const isStopped = (): boolean => {
          if (left-- > 0) {
            return false;
          }
          saved = save(splicing);
          expect(save(splicing)).toEqual(saved);
          return true;
        };
        const onNeed = (): void => {
          if (isStopped()) {
            throw new Stopped();
          }
        };
        const splicing: Splicing = splice(readFrom(replicas, resume, onNeed, random), strategyOf(options), {
          ...(startMs === undefined ? {} : { startMs }),
          ...(endMs === undefined ? {} : { endMs }),
          ...(resume === undefined ? {} : { resume }),
        });
        try {
          for (const run of splicing) {
            lines.push(...formatRun(run, false));
            if (isStopped()) {
              break;
            }
          }
        } catch (error) {
          if (!(error instanceof Stopped)) {
            throw error;
          }
        }
        links++;
        isOver = saved === undefined;
        resume = saved === undefined ? undefined : open(saved);
      }
      expect(lines).toEqual(expectedLines(replicas, options));
    }),
    { numRuns: 150 },
  );
  expect(links).toBeGreaterThan(1000);
});
