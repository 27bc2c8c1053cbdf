/** Each handler under its own runtime, read by a client as a Prometheus would read it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Series } from "@promsplice/core";
import { RemoteReadError, remoteReader } from "@promsplice/remote-read";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findRuntime } from "../../scripts/runtimes.mjs";
import { type Example, startExample } from "./example.ts";
import { makeDay, type ReplicaPair, type Row, rowsOf, spliceDay, startPair } from "./replica-pair.ts";

/** What may lie in buffers between a replica and a client that takes nothing, in series of 17 kB: seen are up to 800. */
const BUFFERED_MAX = 2500;

const day = makeDay(0);
let pair: ReplicaPair;

beforeAll(async () => {
  pair = await startPair(day);
});
afterAll(async () => {
  await pair.close();
});

const cases = [
  ["handler-node-http.mjs", "node", []],
  ["handler-hono.mjs", "node", []],
  ["handler-bun.mjs", "bun", []],
  ["handler-deno.mjs", "deno", ["run", "--allow-net", "--allow-env=PORT"]],
] as const;

for (const [file, runtime, options] of cases) {
  const found = findRuntime(runtime);

  describe.skipIf(found === undefined)(`${file} under ${runtime}`, () => {
    let example: Example;
    const read = (pattern: string): AsyncIterator<Series> => {
      const reader = remoteReader({ url: `${example.url}/api/v1/read` });
      const matchers = [{ type: "=~", name: "__name__", value: pattern }] as const;
      return reader.read({ startMs: 0, endMs: Date.UTC(2100, 0), matchers })[Symbol.asyncIterator]();
    };

    beforeAll(async () => {
      example = await startExample([found!.command, ...options], file, pair.urls);
    });
    afterAll(async () => {
      await example.stop();
    });

    test("answers with the splice of both replicas, to the bit", async () => {
      const answer = new Map<string, Row[]>();
      const iterator = read(".+_.+");
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
        expect(step.value.labels).not.toContain("replica");
        answer.set(step.value.labels[1]!, rowsOf(step.value));
      }
      const expected = spliceDay(day);
      expect([...answer.keys()]).toEqual([...expected.keys()]);
      for (const [metric, rows] of expected) {
        const given = answer.get(metric)!;
        // The whole is too long to be shown.
        const wrong = rows.findIndex((row, index) => String(row) !== String(given[index]));
        expect([given[wrong], given.length], metric).toEqual([rows[wrong], rows.length]);
      }
      expect((await fetch(`${example.url}/elsewhere`)).status).toBe(404);
    });

    test("takes from the replicas no more than its client does, and lets go of them when the client leaves", async () => {
      const before = pair.taken();
      const taken = (): number[] => pair.taken().map((count, replica) => count - before[replica]!);
      const iterator = read("endless");
      await iterator.next();
      expect(pair.underWay()).toBe(2);
      const paused = await untilStill(taken);
      expect(Math.max(...paused)).toBeLessThan(BUFFERED_MAX);
      for (let number = 0; number <= paused[0]!; number++) {
        expect((await iterator.next()).done).toBe(false);
      }
      expect(taken()[0]).toBeGreaterThan(paused[0]!);
      await iterator.return!();
      await expect.poll(pair.underWay, { timeout: 10_000 }).toBe(0);
    });

    test("breaks the connection where both replicas fail in the middle: no answer that looks whole", async () => {
      const iterator = read("broken");
      let series = 0;
      const reading = (async () => {
        for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
          series++;
        }
      })();
      await expect(reading).rejects.toBeInstanceOf(RemoteReadError);
      expect(series).toBeGreaterThan(0);
      expect(pair.underWay()).toBe(0);
    });
  });
}

/** Waits until nothing has been taken for a while, or too much has. */
async function untilStill(taken: () => number[]): Promise<number[]> {
  for (let last = taken(); ;) {
    await sleep(700);
    const next = taken();
    if (String(next) === String(last) || Math.max(...next) > BUFFERED_MAX) {
      return next;
    }
    last = next;
  }
}
