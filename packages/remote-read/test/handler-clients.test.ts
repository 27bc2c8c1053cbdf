/** Answers to what real Prometheus clients sent. */
import { describe, expect, test } from "vitest";

import { readHandler } from "../src/handler.ts";
import { memoryReader } from "../src/memory-reader.ts";
import {
  answerOf,
  cutRows,
  encodedBlock,
  namesOf,
  requestOf,
  SAMPLES_TYPE,
  seriesOf,
  steadyRows,
  STREAMED,
  STREAMED_TYPE,
} from "./read-exchange.ts";
import { readClientRequests, type RecordedQuery, readRecording } from "./recording.ts";
import { readStrictly } from "./strict-client.ts";

describe("recorded requests of real clients", () => {
  const START = 1_699_990_000_000;
  const labelSets = [
    "__name__=m1",
    "__name__=m1,job=j",
    "__name__=m1,a=1,c=y",
    "__name__=m1,a=1,b=2,c=x1",
    "__name__=m1,a=1,c=x1,d=zz",
    "__name__=m1,cluster=c1,replica=r0",
    "__name__=m1,cluster=c1,replica=r1",
    "__name__=m2",
    "__name__=s_ok,cluster=c1,replica=r0",
  ];
  const rows = steadyRows(START, 2000);
  const handler = readHandler(
    memoryReader(
      labelSets.map((labels) => seriesOf(labels, ...cutRows(rows, [120]).map((piece) => encodedBlock(piece)))),
    ),
  );

  function selected({ matchers }: RecordedQuery): string[] {
    return labelSets.filter((labels) => {
      const values = new Map(labels.split(",").map((pair) => pair.split("=") as [string, string]));
      return matchers.every(([type, name, value]) => {
        const actual = values.get(name) ?? "";
        const isEqual = String(type).endsWith("~") ? new RegExp(`^(${value})$`).test(actual) : actual === value;
        return isEqual !== String(type).startsWith("!");
      });
    });
  }

  test.each([...readClientRequests()])(
    "%s gets an answer that its client takes as it is meant",
    async (name, decoded) => {
      const answer = await answerOf(await handler(requestOf(readRecording(`${name}.req.bin`))));
      const queries = decoded.queries.map(({ start, end, hints }) => ({
        startMs: Number(start),
        endMs: Number(end),
        wantsLabelSetsOnly: hints?.["func"] === "series",
      }));
      const isStreamed = decoded.types[0] === STREAMED && !queries[0]!.wantsLabelSetsOnly;
      expect(answer.contentType).toBe(isStreamed ? STREAMED_TYPE : SAMPLES_TYPE);
      const results = readStrictly(answer, queries);
      for (const [index, query] of decoded.queries.entries()) {
        const { startMs, endMs } = queries[index]!;
        const expected = rows.filter(([timeMs]) => timeMs >= startMs && timeMs <= endMs);
        const names = expected.length === 0 ? [] : selected(query).map((labels) => labels.replaceAll(/[=,]/g, " "));
        expect(namesOf([results[index]!])[0]!.toSorted()).toEqual(names.toSorted());
        for (const series of results[index]!) {
          expect(series.rows).toEqual(queries[index]!.wantsLabelSetsOnly ? [] : expected);
        }
      }
    },
  );
});
