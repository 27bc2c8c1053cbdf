/** What the client makes of the answers of real HTTP servers on loopback. */
import type { Block } from "@promsplice/core";
import { afterEach, describe, expect, test } from "vitest";

import { encodeBlock } from "../src/chunk/chunk-block.ts";
import { encodeChunkedSeries } from "../src/chunked-response.ts";
import { remoteReader } from "../src/client.ts";
import { compressSnappy } from "../src/wire/snappy.ts";
import { answerWhole, SAMPLES_TYPE, stopServers, STREAMED_TYPE } from "./answering-server.ts";
import { concatenate, field, frameOf, fromHex, fromText } from "./bytes.ts";
import {
  answering,
  EVERYTHING,
  frame,
  namesOf,
  readFrom,
  recorded,
  ROWS,
  rowsOf,
  samplesBody,
  URL_OF_NOBODY,
} from "./client-exchange.ts";
import { errorOf } from "./error-code.ts";
import { blockOf, labelsOf, queryOf, seriesOf, steadyRows } from "./read-exchange.ts";
import { plainRows } from "./plain-histogram.ts";
import { readRecording } from "./recording.ts";
import { vectors } from "./vectors.ts";

afterEach(stopServers);

describe("a streamed answer", () => {
  test("comes as the series of its frames, whatever the pieces of the network", async () => {
    const { resp, frames } = recorded("ha-pair/all.a.chunks");
    const { series, report } = await readFrom((response) => {
      response.writeHead(200, { "Content-Type": STREAMED_TYPE });
      for (let at = 0; at < resp.length; at += 7) {
        response.write(resp.subarray(at, at + 7));
      }
      response.end();
    });
    expect(namesOf(series)).toEqual(frames.map(({ labels }) => labels.flat().join(" ")));
    expect(report).toMatchObject({ series: frames.length, united: 0, bytes: resp.length, blocksPassedOn: 0 });
    expect(report.replicas[0]).toMatchObject({ error: undefined, isUnverifiable: false });
    for (const [index, { labels, chunks }] of frames.entries()) {
      const samples = chunks.flatMap((chunk) => chunk.samples as (readonly [string, unknown, string])[]);
      expect(rowsOf(series[index]!), String(labels)).toEqual(samples.map(([timeMs, , bits]) => [Number(timeMs), bits]));
    }
  });

  test("is empty where the body is", async () => {
    expect((await readFrom(answerWhole(new Uint8Array(0)))).series).toEqual([]);
  });

  test("counts the blocks whose columns are asked for, and decodes none before", async () => {
    const { series, report } = await readFrom(answerWhole(frame("a=1", steadyRows(0, 360))));
    expect([...series[0]!.blocks]).toHaveLength(3);
    expect(report.blocksDecoded).toBe(0);
    const reading = remoteReader({
      url: URL_OF_NOBODY,
      fetch: answering(
        () => new Response(frame("a=1", steadyRows(0, 360)), { headers: { "Content-Type": STREAMED_TYPE } }),
      ),
    }).read(EVERYTHING);
    for await (const { blocks } of reading) {
      const [first] = blocks as readonly Block[];
      expect(first!.timestamps()).toHaveLength(120);
      expect(first!.valueAt(0)).toBe(1);
    }
    expect(reading.report().blocksDecoded).toBe(1);
  });

  test("joins a series of several frames and unites one that comes again", async () => {
    const split = [frame("a=1", ROWS), frame("a=1", steadyRows(1_800_000_000_000, 2))];
    const { series, report } = await readFrom(answerWhole(concatenate(...split, frame("b=1"))));
    expect(namesOf(series)).toEqual(["a 1", "b 1"]);
    expect(rowsOf(series[0]!)).toHaveLength(5);
    expect(report.united).toBe(0);
    const again = await readFrom(answerWhole(concatenate(frame("b=1"), frame("a=1"), frame("b=1"))));
    expect(namesOf(again.series)).toEqual(["a 1", "b 1"]);
    expect(again.report.united).toBe(1);
    expect(rowsOf(again.series[1]!)).toEqual(ROWS);
  });

  test("may hold frames of no series, of several, and empty chunks", async () => {
    const several = frameOf(
      concatenate(
        field(1, concatenate(label("1"), chunk(Uint8Array.of(0, 0)))),
        field(1, concatenate(label("2"), chunk(Uint8Array.of(0, 0)), dataOf(ROWS))),
        field(1, concatenate(label("3"), dataOf(ROWS))),
        field(1, label("4")),
      ),
    );
    const { series } = await readFrom(answerWhole(concatenate(frameOf(Uint8Array.of(0x10, 7)), several)));
    expect(namesOf(series)).toEqual(["a 2", "a 3"]);
    expect(series.map((one) => rowsOf(one))).toEqual([ROWS, ROWS]);
  });

  test("is clipped to the query's range", async () => {
    const { series, report } = await readFrom(
      answerWhole(concatenate(frame("a=1", steadyRows(0, 360, 1000)), frame("a=2", steadyRows(900_000, 2)))),
      {},
      queryOf([["=", "a", "1"]], 100_000, 240_000),
    );
    expect(namesOf(series)).toEqual(["a 1"]);
    expect(rowsOf(series[0]!)).toEqual(steadyRows(0, 360, 1000).slice(100, 241));
    expect(report).toMatchObject({ series: 1, blocksDecoded: 2 });
  });

  test("goes on past a series that cannot be decoded, whose blocks throw", async () => {
    const [chunk] = encodeBlock(blockOf(ROWS));
    const unknown = encodeChunkedSeries(labelsOf("a=1"), [{ ...chunk!, type: 7 }], 0);
    const broken = encodeChunkedSeries(labelsOf("a=2"), [{ ...chunk!, data: chunk!.data.subarray(0, 9) }], 0);
    const { series, error } = await readFrom(answerWhole(concatenate(unknown, broken, frame("a=3"))), { name: "A" });
    expect(error).toBeUndefined();
    expect(namesOf(series)).toEqual(["a 1", "a 2", "a 3"]);
    expect(() => [...series[0]!.blocks]).toThrow(
      expect.objectContaining({ code: "chunk-type-unsupported", replica: "A", series: '{a="1"}' }) as Error,
    );
    const [block] = series[1]!.blocks;
    expect(() => block!.values()).toThrow(
      expect.objectContaining({ code: "chunk-malformed", replica: "A", series: '{a="2"}' }) as Error,
    );
    expect(rowsOf(series[2]!)).toEqual(ROWS);
  });

  test("fails with the server's text where it ends in one", async () => {
    const { error, report } = await readFrom(answerWhole(readRecording("p242/http/ok-all-series-chunks.resp.bin")));
    expect(error).toMatchObject({
      code: "remote-error-text",
      message: "iterate chunk while re-encoding: detected unexpected counter reset in histogram",
    });
    expect(report.replicas[0]!.error).toBe(error);
  });

  test("is refused over a limit", async () => {
    const body = concatenate(frame("a=1"), frame("a=2"), frame("a=2"), frame("a=1"));
    const codes = await Promise.all(
      [{ frameBytesMax: 10 }, { seriesMax: 0 }, { sortBytesMax: 10 }, { seriesBytesMax: 600 }].map(
        async (limits) => (await readFrom(answerWhole(body), { limits })).error?.code,
      ),
    );
    expect(codes).toEqual(["frame-too-large", "limit-exceeded", "series-out-of-order", "limit-exceeded"]);
    const collected = await readFrom(answerWhole(body), { collect: true, limits: { sortBytesMax: 10 } });
    expect(collected.error?.code).toBe("limit-exceeded");
  });

  test("goes on past a series whose histograms have too many buckets, whose blocks then say so", async () => {
    const { encoding, hex, decoded } = vectors.find(({ name }) => name === "HISTOGRAM/02-three")!;
    const [minMs, maxMs] = [Number(decoded![0]!.t), Number(decoded!.at(-1)!.t)];
    const chunks = [{ minMs, maxMs, type: encoding, data: fromHex(hex) }];
    const body = concatenate(encodeChunkedSeries(labelsOf("a=1"), chunks, 0), frame("a=2"));
    const read = (histogramBucketsMax: number): ReturnType<typeof readFrom> =>
      readFrom(answerWhole(body), { name: "r", limits: { histogramBucketsMax } });
    const buckets = decoded![0]!.positiveDeltas!.length + decoded![0]!.negativeDeltas!.length;
    const refused = await read(buckets - 1);
    expect([namesOf(refused.series), refused.error]).toEqual([["a 1", "a 2"], undefined]);
    const error = errorOf(() => [...refused.series[0]!.blocks][0]!.timestamps());
    expect(error).toMatchObject({
      code: "limit-exceeded",
      message: `a chunk has histograms of ${buckets} buckets, limit is ${buckets - 1}`,
      replica: "r",
      series: '{a="1"}',
    });
    const taken = await read(buckets);
    expect([...taken.series[0]!.blocks][0]!.timestamps()).toHaveLength(3);
  });

  test("takes a checksum of the caller's", async () => {
    const { error } = await readFrom(answerWhole(frame("a=1")), { crc32c: () => 0 });
    expect(error).toMatchObject({ code: "frame-checksum", offset: 0 });
  });
});

describe("the order of a streamed answer", () => {
  test("is repaired where external labels were merged in too late", async () => {
    const body = readRecording("p353x/extlabels/repl.chunks.resp.bin");
    for (const orderWithout of [[], ["replica"]]) {
      const { series, report } = await readFrom(answerWhole(body), {}, EVERYTHING, { orderWithout });
      expect(namesOf(series).map((name) => /cluster (\S+).*replica (\S+)/.exec(name)!.slice(1))).toEqual([
        ["other", "r0"],
        ["c1", "own"],
        ["c1", "r0"],
      ]);
      expect(report.united).toBe(1);
    }
  });

  test("is an error where it cannot be, unless all is collected", async () => {
    const body = concatenate(frame("a=2"), frame("a=3"), frame("a=1"));
    const { error, series } = await readFrom(answerWhole(body));
    expect(error).toMatchObject({ code: "series-out-of-order", series: '{a="1"}' });
    expect(namesOf(series)).toEqual(["a 2"]);
    const collected = await readFrom(answerWhole(body), { collect: true });
    expect(namesOf(collected.series)).toEqual(["a 1", "a 2", "a 3"]);
  });
});

describe("an answer of samples", () => {
  test("is sorted, united and without what is empty", async () => {
    const { series, report } = await readFrom(
      answerWhole(readRecording("p353x/extlabels/repl.samples.resp.bin"), SAMPLES_TYPE),
    );
    expect(namesOf(series).map((name) => name.includes("a_first"))).toEqual([true, false, false]);
    expect(report).toMatchObject({ series: 3, united: 1 });
    // The first of the two that were sent wins where both have a sample.
    expect(rowsOf(series[2]!).map(([, bits]) => bits)).toEqual(["4008000000000000", "4010000000000000"]);
  });

  test("keeps label sets without samples where only these are wanted", async () => {
    const answer = answerWhole(samplesBody([seriesOf("a=1"), seriesOf("a=2", blockOf(ROWS))]), SAMPLES_TYPE);
    const hints = { stepMs: 0, func: "series", startMs: 0, endMs: 0, grouping: [], by: false, rangeMs: 0 };
    expect(namesOf((await readFrom(answer, {}, { ...EVERYTHING, hints })).series)).toEqual(["a 1", "a 2"]);
    expect(namesOf((await readFrom(answer)).series)).toEqual(["a 2"]);
  });

  test("with histograms yields them as blocks of their own", async () => {
    const { series } = await readFrom(answerWhole(readRecording("p353/samples/rr_mixed.resp.bin"), SAMPLES_TYPE));
    expect(series).toHaveLength(1);
    const blocks = [...series[0]!.blocks];
    expect(blocks.map(({ kind, count }) => [kind, count])).toEqual([
      ["float", 2],
      ["histogram", 1],
      ["float", 1],
    ]);
    expect(plainRows(blocks[1]!)).toMatchObject([{ t: "1700000030000", count: "5", sum: "4032666666666666" }]);
  });

  test("is refused over its limits, with too few results, or cut", async () => {
    const body = samplesBody([seriesOf("a=1", blockOf(steadyRows(0, 100)))]);
    expect(await codeOfSamples(body, 100)).toBe("limit-exceeded");
    expect(await codeOfSamples(compressSnappy(new Uint8Array(1000)), 999)).toBe("limit-exceeded");
    expect(await codeOfSamples(samplesBody())).toBe("protobuf-malformed");
    expect(await codeOfSamples(samplesBody([], []))).toBe("protobuf-malformed");
    expect(await codeOfSamples(body.subarray(0, -1))).toBe("snappy-corrupt");
    expect(await codeOfSamples(new Uint8Array(0))).toBe("snappy-corrupt");
  });
});

/** The code of the error that a body of samples makes. */
async function codeOfSamples(bytes: Uint8Array, bodyBytesMax = 1 << 20): Promise<string | undefined> {
  return (await readFrom(answerWhole(bytes, SAMPLES_TYPE), { limits: { bodyBytesMax } })).error?.code;
}

/** An encoded chunk as a field of a series. */
const chunk = (data: Uint8Array): Uint8Array => field(2, concatenate(Uint8Array.of(0x18, 1), field(4, data)));
/** A label `a` as a field of a series. */
const label = (value: string): Uint8Array => field(1, concatenate(field(1, fromText("a")), field(2, fromText(value))));

/** The chunk of these rows as a field of a series. */
function dataOf(rows: typeof ROWS): Uint8Array {
  const whole = encodeChunkedSeries([], encodeBlock(blockOf(rows)), 0);
  // Behind length and checksum of the frame, and tag and length of the series.
  return whole.subarray(1 + 4 + 2);
}
