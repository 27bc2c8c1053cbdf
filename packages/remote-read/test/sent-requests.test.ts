/** What the client sends, decoded by another implementation, is what was meant. */
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { remoteReader } from "../src/client.ts";
import type { Hints, Matcher, MatcherType, Query } from "../src/reader.ts";
import { uncompressSnappy } from "../src/wire/snappy.ts";
import { STREAMED_TYPE } from "./answering-server.ts";
import { readAll, URL_OF_NOBODY } from "./client-exchange.ts";
import { reflect } from "./prompb.ts";

const TYPES: readonly MatcherType[] = ["=", "!=", "=~", "!~"];

const timeMs = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(-(2 ** 53), 2 ** 53, -1, 0, 1, -62_135_596_800_000, 253_402_300_799_999),
);
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const matcher: fc.Arbitrary<Matcher> = fc.record({ type: fc.constantFrom(...TYPES), name: text, value: text });
const hints: fc.Arbitrary<Hints> = fc.record({
  stepMs: timeMs,
  func: fc.constantFrom("", "rate", "series", "sum"),
  startMs: timeMs,
  endMs: timeMs,
  grouping: fc.array(text, { maxLength: 3 }),
  by: fc.boolean(),
  rangeMs: timeMs,
});
const query: fc.Arbitrary<Query> = fc
  .record(
    { startMs: timeMs, endMs: timeMs, matchers: fc.array(matcher, { maxLength: 5 }), hints },
    { requiredKeys: ["startMs", "endMs", "matchers"] },
  )
  .map((one) => ({ ...one, startMs: Math.min(one.startMs, one.endMs), endMs: Math.max(one.startMs, one.endMs) }));

/** The query as reflection must show it: with hints always, and these over the query's own range. */
function asReflected({ startMs, endMs, matchers, hints: given }: Query): unknown {
  return {
    start_timestamp_ms: String(startMs),
    end_timestamp_ms: String(endMs),
    matchers: matchers.map(({ type, name, value }) => ({ type: TYPES.indexOf(type), name, value })),
    hints: {
      step_ms: String(given?.stepMs ?? 0),
      func: given?.func ?? "",
      start_ms: String(startMs),
      end_ms: String(endMs),
      grouping: given?.grouping ?? [],
      by: given?.by ?? false,
      range_ms: String(given?.rangeMs ?? 0),
    },
  };
}

/** The requests that a read sends. */
async function requestsOf(
  asked: Query,
  members?: Record<string, readonly string[]>,
): Promise<Record<string, unknown>[]> {
  const sent: Record<string, unknown>[] = [];
  const reader = remoteReader({
    url: URL_OF_NOBODY,
    members,
    fetch: async (_, { body }) => {
      sent.push(reflect("ReadRequest", uncompressSnappy(body as Uint8Array, 1 << 20)));
      return new Response(new Uint8Array(0), { headers: { "Content-Type": STREAMED_TYPE } });
    },
  });
  expect((await readAll(reader, asked)).error).toBeUndefined();
  return sent;
}

test("a request is the query that was meant, with hints that span it", async () => {
  const types = new Set<number>();
  await fc.assert(
    fc.asyncProperty(query, async (asked) => {
      asked.matchers.forEach(({ type }) => types.add(TYPES.indexOf(type)));
      const [request, ...others] = await requestsOf(asked);
      expect(others).toEqual([]);
      expect(request).toEqual({
        queries: [asReflected(asked)],
        accepted_response_types: asked.hints?.func === "series" ? [0] : [1, 0],
      });
    }),
    { numRuns: 300 },
  );
  expect(types.size).toBe(4);
});

test("the requests of named members are the query with one more matcher each", async () => {
  await fc.assert(
    fc.asyncProperty(query, async (asked) => {
      const requests = await requestsOf(asked, { replica: ["A", "b.c|d", "日本"] });
      const added: Matcher[] = [
        ...["A", "b.c|d", "日本"].map((value): Matcher => ({ type: "=", name: "replica", value })),
        { type: "!~", name: "replica", value: String.raw`A|b\.c\|d|日本` },
      ];
      expect(requests.map(({ queries }) => queries)).toEqual(
        added.map((one) => [asReflected({ ...asked, matchers: [...asked.matchers, one] })]),
      );
    }),
    { numRuns: 50 },
  );
});
