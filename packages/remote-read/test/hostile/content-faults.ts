/** Replicas whose answers arrive whole and are not what they should be: other bytes, another order, other series, other rows. */
import { gzipSync } from "node:zlib";

import { answerWhole, SAMPLES_TYPE } from "../answering-server.ts";
import { concatenate, field, frameOf, fromText, varint } from "../bytes.ts";
import { samplesBody } from "../client-exchange.ts";
import { blockOf, cutRows, steadyRows } from "../read-exchange.ts";
import type { ClientRow } from "../strict-client.ts";
import type { Fault } from "./fault.ts";
import { CHUNK_ROWS, type HeldSeries } from "./pair.ts";
import {
  bodyOf,
  type ChunkEdit,
  editing,
  frameOfChunks,
  frameOfSeries,
  frames,
  isBeforeM5,
  labelSet,
  named,
  replacing,
  sending,
  typeOf,
  whole,
  withSeries,
} from "./sent.ts";

const BODIES: readonly Fault[] = [
  { title: "sends gzip, and says so", answer: zipped("gzip") },
  {
    title: "sends gzip, and does not say so",
    code: { frames: "frame-checksum", samples: "snappy-corrupt" },
    answer: zipped(undefined),
  },
  {
    title: "sends gzip over snappy",
    code: { frames: "frame-checksum", samples: "snappy-corrupt" },
    answer: zipped("snappy, gzip"),
  },
  {
    title: "says gzip, and sends none",
    code: "body-truncated",
    answer: (held, form) => (response) =>
      void response
        .writeHead(200, { "Content-Type": typeOf(form), "Content-Encoding": "gzip" })
        .end(bodyOf(held, form)),
  },
  {
    title: "sends text after the last frame",
    code: { frames: "remote-error-text", samples: "snappy-corrupt" },
    from: "m6",
    answer: whole((body) => concatenate(body, fromText("iterate chunk while re-encoding: bad chunk\n"))),
  },
  {
    title: "sends text after the third frame",
    code: "remote-error-text",
    forms: ["frames"],
    from: "m3",
    answer: (held) => {
      const three = frames(held.filter(({ name }) => name < "m5"));
      return answerWhole(concatenate(three, fromText("storage: out of order\n")));
    },
  },
  {
    title: "sends a frame with another checksum",
    code: "frame-checksum",
    forms: ["frames"],
    from: "m3",
    answer: replacing("m5", (frame) => frame.with(20, frame[20]! ^ 1)),
  },
  {
    title: "sends a frame without a payload",
    code: "protobuf-malformed",
    forms: ["frames"],
    from: "m3",
    answer: replacing("m5", () => frameOf(new Uint8Array(0))),
  },
  {
    title: "sends a frame that is no message",
    code: "protobuf-malformed",
    forms: ["frames"],
    from: "m3",
    answer: replacing("m5", () => frameOf(Uint8Array.of(0x0a, 0x7f, 1, 2, 3))),
  },
  {
    title: "sends a frame of 100 GB",
    code: "frame-too-large",
    forms: ["frames"],
    from: "m3",
    answer: replacing("m5", () => concatenate(varint(100_000_000_000n), new Uint8Array(100))),
  },
  {
    title: "sends two results to one query",
    code: "protobuf-malformed",
    forms: ["samples"],
    answer: () => answerWhole(samplesBody([], []), SAMPLES_TYPE),
  },
  {
    title: "sends a label set that has a name twice",
    code: "labels-malformed",
    from: "m3",
    answer: (held, form) => {
      const label = field(1, concatenate(field(1, fromText("a")), field(2, fromText("1"))));
      const series = field(1, concatenate(label, label));
      return form === "frames"
        ? answerWhole(concatenate(frames(held.filter(({ name }) => name < "m5")), frameOf(series)))
        : answerWhole(literalSnappy(field(1, series)), SAMPLES_TYPE);
    },
  },
];

const ORDER: readonly Fault[] = [
  {
    title: "sends a series that is to come before one that has been passed on",
    code: { frames: "series-out-of-order", samples: undefined },
    from: "m6",
    // The other's m3 has been spliced by then, without it; samples are sorted.
    sent: (held, form) => (form === "frames" ? withSeries(held, "m3") : held),
    answer: sending((held) => [...held.filter(({ name }) => name !== "m3"), named(held, "m3")]),
  },
  {
    title: "sends two series the wrong way round",
    answer: sending((held) => withSeries(withSeries(held, "m2"), "m3", named(held, "m3"), named(held, "m2"))),
  },
  {
    title: "sends its series backwards",
    answer: sending((held) => held.toReversed()),
  },
  {
    title: "sends a series in two frames",
    answer: sending((held) => {
      const m3 = named(held, "m3");
      return withSeries(held, "m3", { ...m3, rows: m3.rows.slice(0, 15) }, { ...m3, rows: m3.rows.slice(15) });
    }),
  },
  {
    title: "sends a series twice, with other values",
    sent: (held) => withSeries(held, "m3", named(held, "m3"), otherValues(named(held, "m3"))),
    answer: sending((held) => withSeries(held, "m3", named(held, "m3"), otherValues(named(held, "m3")))),
  },
  {
    title: "sends a series again at the end",
    code: { frames: "series-out-of-order", samples: undefined },
    from: "m6",
    answer: sending((held) => [...held, named(held, "m3")]),
  },
  {
    title: "sends series that nobody asked for, which nobody can see",
    sent: (held) => [...held, { ...named(held, "m6"), name: "n1" }],
    answer: sending((held) => [...held, { ...named(held, "m6"), name: "n1" }]),
  },
  {
    title: "sends the other member's series besides its own",
    sent: (held) => withForeign(held),
    answer: sending((held) => withForeign(held)),
  },
  {
    title: "sends series without the replica label",
    sent: (held) => held.map((series) => ({ ...series, replica: undefined })),
    answer: sending((held) => held.map((series) => ({ ...series, replica: undefined }))),
  },
];

const CHUNKS: readonly Fault[] = [
  {
    title: "sends overlapping chunks",
    forms: ["frames"],
    answer: replacing("m3", (_, series) => frameOfChunks(series, overlapping(series.rows))),
  },
  {
    title: "sends chunks whose rows interleave",
    forms: ["frames"],
    answer: replacing("m3", (_, series) =>
      frameOfChunks(
        series,
        [0, 1].map((odd) => series.rows.filter((_row, row) => row % 2 === odd)),
      ),
    ),
  },
  {
    title: "sends chunks backwards",
    forms: ["frames"],
    answer: replacing("m3", (_, series) => frameOfChunks(series, cutRows(series.rows, [CHUNK_ROWS]).toReversed())),
  },
  {
    title: "sends samples backwards",
    forms: ["samples"],
    answer: (held) =>
      answerWhole(
        samplesBody(
          held.map((series) => ({
            labels: labelSet(series),
            blocks: series.rows.toReversed().map((row) => blockOf([row])),
          })),
        ),
        SAMPLES_TYPE,
      ),
  },
  {
    title: "sends samples from outside what was asked for",
    sent: withRowsOutside,
    answer: sending(withRowsOutside),
  },
  {
    title: "sends an empty chunk",
    forms: ["frames"],
    answer: editing("m3", (chunk, index) => (index === 0 ? { ...chunk, data: Uint8Array.of(0, 0) } : chunk)),
    sent: (held) => withSeries(held, "m3", { ...named(held, "m3"), rows: named(held, "m3").rows.slice(CHUNK_ROWS) }),
  },
  ...(
    [
      ["whose first row is later than claimed", ({ minMs, ...chunk }) => ({ ...chunk, minMs: minMs - 1 })],
      ["whose first row is earlier than claimed", ({ minMs, ...chunk }) => ({ ...chunk, minMs: minMs + 1 })],
      ["whose last row is later than claimed", ({ maxMs, ...chunk }) => ({ ...chunk, maxMs: maxMs - 1 })],
      ["whose last row is earlier than claimed", ({ maxMs, ...chunk }) => ({ ...chunk, maxMs: maxMs + 1 })],
      ["that breaks off", ({ data, ...chunk }) => ({ ...chunk, data: data.slice(0, data.length >> 1) })],
      ["that claims more rows than it has", ({ data, ...chunk }) => ({ ...chunk, data: data.with(1, data[1]! + 1) })],
    ] as readonly (readonly [string, (chunk: Parameters<ChunkEdit>[0]) => ReturnType<ChunkEdit>])[]
  ).map(([what, edit]): Fault => ({
    title: `sends a chunk ${what}`,
    code: "chunk-malformed",
    forms: ["frames"],
    from: "m3",
    isPassedOn: true,
    answer: editing("m3", (chunk, index) => (index === 1 ? edit(chunk) : chunk)),
  })),
  {
    title: "sends a chunk whose claimed times step back",
    code: "chunk-malformed",
    forms: ["frames"],
    from: "m3",
    answer: editing("m3", ({ minMs, maxMs, ...chunk }) => ({ ...chunk, minMs: maxMs, maxMs: minMs })),
  },
  {
    title: "sends a chunk of a type that nobody knows",
    code: "chunk-type-unsupported",
    forms: ["frames"],
    from: "m3",
    answer: editing("m3", (chunk) => ({ ...chunk, type: 9 })),
  },
  {
    title: "sends a chunk that breaks off, and then a frame with another checksum",
    code: "frame-checksum",
    forms: ["frames"],
    from: "m3",
    answer: (held) =>
      answerWhole(
        concatenate(
          frames(held.filter(({ name }) => name < "m3")),
          frameOfSeries(named(held, "m3"), ({ data, ...chunk }) => ({
            ...chunk,
            data: data.slice(0, data.length >> 1),
          })),
          frameOfSeries(named(held, "m5")),
          frameOfSeries(named(held, "m6")).with(20, 0),
        ),
      ),
  },
];

export const CONTENT_FAULTS: readonly Fault[] = [...BODIES, ...ORDER, ...CHUNKS];

/** A body under gzip, the header said or not. */
function zipped(encoding: string | undefined, end?: number): NonNullable<Fault["answer"]> {
  return (held, form) => (response) => {
    const headers = {
      "Content-Type": typeOf(form),
      ...(encoding === undefined ? {} : { "Content-Encoding": encoding }),
    };
    response.writeHead(200, headers).end(gzipSync(bodyOf(held, form)).subarray(0, end));
  };
}

/** A short message as a block of snappy: one literal. */
function literalSnappy(message: Uint8Array): Uint8Array {
  return concatenate(varint(message.length), Uint8Array.of((message.length - 1) << 2), message);
}

function otherValues(series: HeldSeries): HeldSeries {
  return { ...series, rows: series.rows.map(([timeMs]) => [timeMs, "4045000000000000"]) };
}

/** With m5 and m6 under both values of the replica label, in the order without it. */
function withForeign(held: readonly HeldSeries[]): HeldSeries[] {
  return held.flatMap((series) =>
    isBeforeM5(series)
      ? [series]
      : [
          { ...series, replica: "A", rows: series.rows.filter((_, row) => row % 2 === 0) },
          { ...series, replica: "B", rows: series.rows.filter((_, row) => row % 2 === 1) },
        ],
  );
}

/** Rows outside what is asked for, on both sides. */
function withRowsOutside(held: readonly HeldSeries[]): HeldSeries[] {
  return held.map((series) => {
    const [firstMs] = series.rows[0]!;
    const before = steadyRows(firstMs - 100 * 15_000, 100);
    const after = steadyRows(series.rows.at(-1)![0] + 15_000, 100);
    return { ...series, rows: [...before, ...series.rows, ...after] };
  });
}

/** Each chunk of m3 given its last 3 rows once more, by the chunk behind it. */
function overlapping(rows: readonly ClientRow[]): ClientRow[][] {
  return cutRows(rows, [CHUNK_ROWS]).map((_, index) =>
    rows.slice(Math.max(0, index * CHUNK_ROWS - 3), (index + 1) * CHUNK_ROWS),
  );
}
