/**
 * The answers of replicas that are down, slow, broken, misconfigured or lying, and what has to be said of each. A fault is
 * told from another one by its code; what cannot be told from a good answer is in the table too, and says so by having none.
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

import { encodeBlock } from "../src/chunk/chunk-block.ts";
import { encodeChunkedSeries } from "../src/chunked-response.ts";
import type { RemoteReaderTimeouts } from "../src/client.ts";
import type { RemoteReadErrorCode } from "../src/remote-read-error.ts";
import { type Answer, answerCut, answerWhole, SAMPLES_TYPE, STREAMED_TYPE } from "./answering-server.ts";
import { concatenate, field, frameOf, fromText, varint } from "./bytes.ts";
import { samplesBody } from "./client-exchange.ts";
import { CHUNK_ROWS, type HeldSeries } from "./hostile-pair.ts";
import { blockOf, cutRows, labelsOf, steadyRows } from "./read-exchange.ts";
import type { ClientRow } from "./strict-client.ts";

/** The form in which a replica answers. */
export type Form = "frames" | "samples";

export interface Fault {
  readonly title: string;
  /** The forms that can have it; both by default. */
  readonly forms?: readonly Form[];
  /** What is reported, of each form; undefined where it is no fault, or cannot be seen. */
  readonly code?: RemoteReadErrorCode | Readonly<Record<Form, RemoteReadErrorCode | undefined>>;
  /** The first series without the replica, of frames: this one, or at the latest this one. All are, by default. */
  readonly from?: string;
  readonly atLatest?: string;
  /** What such a replica legally sends, of what it holds; all by default. */
  readonly sent?: (held: readonly HeldSeries[], form: Form) => readonly HeldSeries[];
  readonly timeouts?: Partial<RemoteReaderTimeouts>;
  /** True where nobody can tell whether the answer was whole. */
  readonly isUnverifiable?: boolean;
  /** True where a client that is sent chunks as they came sees it, and nobody before. */
  readonly isPassedOn?: boolean;
  /** None for a replica that is down. */
  readonly answer: ((held: readonly HeldSeries[], form: Form) => Answer) | undefined;
}

/* ---- what is sent -------------------------------------------------------------------------------------------------- */

function labelSet({ name, replica }: HeldSeries): string[] {
  return labelsOf(replica === undefined ? `__name__=${name}` : `__name__=${name},replica=${replica}`);
}

/** Rows as chunks of so many rows, and whatever a fault makes of them. */
type ChunkEdit = (chunk: ReturnType<typeof encodeBlock>[number], index: number) => typeof chunk;

function frameOfSeries(series: HeldSeries, edit: ChunkEdit = (chunk) => chunk): Uint8Array {
  return frameOfChunks(series, cutRows(series.rows, [CHUNK_ROWS]), edit);
}

function frameOfChunks(
  series: HeldSeries,
  pieces: readonly (readonly ClientRow[])[],
  edit: ChunkEdit = (chunk) => chunk,
): Uint8Array {
  const chunks = pieces.map((rows, index) => edit(encodeBlock(blockOf(rows))[0]!, index));
  return encodeChunkedSeries(labelSet(series), chunks, 0);
}

function frames(held: readonly HeldSeries[]): Uint8Array {
  return concatenate(...held.map((series) => frameOfSeries(series)));
}

function bodyOf(held: readonly HeldSeries[], form: Form): Uint8Array {
  return form === "frames"
    ? frames(held)
    : samplesBody(held.map((series) => ({ labels: labelSet(series), blocks: [blockOf(series.rows)] })));
}

const typeOf = (form: Form): string => (form === "frames" ? STREAMED_TYPE : SAMPLES_TYPE);

/** A whole answer of what the function makes of the body. */
function whole(edit: (body: Uint8Array, form: Form) => Uint8Array): NonNullable<Fault["answer"]> {
  return (held, form) => answerWhole(edit(bodyOf(held, form), form), typeOf(form));
}

/** A whole answer of other series. */
function sending(edit: (held: readonly HeldSeries[]) => readonly HeldSeries[]): NonNullable<Fault["answer"]> {
  return (held, form) => answerWhole(bodyOf(edit(held), form), typeOf(form));
}

/** An answer of frames, one of them another. */
function replacing(name: string, edit: (frame: Uint8Array, series: HeldSeries) => Uint8Array): Fault["answer"] {
  return (held) =>
    answerWhole(
      concatenate(
        ...held.map((series) => {
          const frame = frameOfSeries(series);
          return series.name === name ? edit(frame, series) : frame;
        }),
      ),
    );
}

const editing = (name: string, edit: ChunkEdit): Fault["answer"] =>
  replacing(name, (_, series) => frameOfSeries(series, edit));

function status(
  code: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): NonNullable<Fault["answer"]> {
  return () => (response) => void response.writeHead(code, { "Content-Type": "text/plain", ...headers }).end(text);
}

/** Where a body is cut: in the middle of m5, or between it and m3; of samples somewhere. */
function cutAt(held: readonly HeldSeries[], form: Form, isBoundary = false): number {
  const body = bodyOf(held, form);
  const before = frames(held.filter(({ name }) => name < "m5")).length;
  return form === "samples" ? body.length >> 1 : before + (isBoundary ? 0 : 50);
}

function begin(response: ServerResponse, form: Form, bytes: Uint8Array): void {
  response.writeHead(200, { "Content-Type": typeOf(form) });
  response.flushHeaders();
  response.write(bytes);
}

/** Sends so many bytes every so often. */
function trickle(response: ServerResponse, body: Uint8Array, bytes: number, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, at + bytes));
    at += bytes;
    if (at >= body.length) {
      clearInterval(timer);
      response.end();
    }
  }, everyMs);
  response.on("close", () => clearInterval(timer));
}

/** Begins an answer without a length and without chunks, which ends when the connection does. */
function bareHead(response: ServerResponse, form: Form): Socket {
  const socket = response.socket as Socket;
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${typeOf(form)}\r\nConnection: close\r\n\r\n`);
  return socket;
}

const HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n";

/* ---- the table ----------------------------------------------------------------------------------------------------- */

const SILENT: readonly Fault[] = [
  { title: "is down", code: "connection-failed", answer: undefined },
  {
    title: "is black-holed: it takes the request and never answers",
    code: "timeout",
    timeouts: { firstByteMs: 60 },
    answer: () => () => {},
  },
  {
    title: "sends the head a letter at a time",
    code: "timeout",
    timeouts: { firstByteMs: 60 },
    answer: () => (response) => {
      const head = [
        ..."HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nX-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaa",
      ];
      const timer = setInterval(() => response.socket?.write(head.shift() ?? "a"), 5);
      response.on("close", () => clearInterval(timer));
    },
  },
  {
    title: "sends a head and nothing more",
    code: "timeout",
    timeouts: { idleMs: 60 },
    answer: (_, form) => (response) => begin(response, form, new Uint8Array(0)),
  },
  {
    title: "stalls in mid-frame",
    code: "timeout",
    from: "m3",
    timeouts: { idleMs: 60 },
    answer: (held, form) => (response) => begin(response, form, bodyOf(held, form).subarray(0, cutAt(held, form))),
  },
  {
    title: "stalls between two frames",
    code: "timeout",
    from: "m3",
    timeouts: { idleMs: 60 },
    answer: (held, form) => (response) =>
      begin(response, form, bodyOf(held, form).subarray(0, cutAt(held, form, true))),
  },
  {
    title: "sends 1 KiB/s, and is out of time",
    code: "timeout",
    atLatest: "m6",
    timeouts: { totalMs: 400, idleMs: 10_000 },
    answer: (held, form) => (response) => {
      begin(response, form, new Uint8Array(0));
      trickle(response, bodyOf(held, form), 64, 62.5);
    },
  },
  {
    title: "sends 1 KiB/s, and is waited for",
    timeouts: { idleMs: 10_000 },
    answer: (held, form) => (response) => {
      begin(response, form, new Uint8Array(0));
      trickle(response, bodyOf(held, form), 64, 62.5);
    },
  },
  {
    title: "closes the connection before it answers",
    code: "connection-failed",
    answer: () => (response) => void response.socket!.end(),
  },
  {
    title: "resets the connection before it answers",
    code: "connection-failed",
    answer: () => (response) => void response.socket!.resetAndDestroy(),
  },
  {
    title: "does not speak HTTP",
    code: "connection-failed",
    answer: () => (response) => void response.socket!.end("SSH-2.0-OpenSSH_9.6\r\n"),
  },
];

const STATUSES: readonly Fault[] = [
  ...[500, 502, 503, 504].map((code): Fault => ({
    title: `answers ${code}`,
    code: "http-status",
    answer: status(code, "upstream is not there\n"),
  })),
  {
    title: "answers 500 to a request for frames alone",
    answer: (held) => (response, request) =>
      request.message.acceptedResponseTypes.includes(1)
        ? void response.writeHead(500).end("not implemented\n")
        : answerWhole(bodyOf(held, "samples"), SAMPLES_TYPE)(response, request),
  },
  { title: "answers 429", code: "http-status", answer: status(429, "slow down\n", { "Retry-After": "1" }) },
  { title: "answers 404", code: "http-status", answer: status(404, "404 page not found\n") },
  ...[301, 302, 303, 307, 308].map((code): Fault => ({
    title: `answers ${code}`,
    code: "http-status",
    answer: () => (response, request) =>
      void response.writeHead(code, { Location: `http://${request.headers.host}/elsewhere` }).end(),
  })),
  { title: "answers 204", code: "content-type", answer: () => (response) => void response.writeHead(204).end() },
  { title: "answers a page", code: "content-type", answer: status(200, HTML, { "Content-Type": "text/html" }) },
  { title: "answers a page with 502", code: "http-status", answer: status(502, HTML, { "Content-Type": "text/html" }) },
  {
    title: "answers a page that says that it is remote read",
    code: { frames: "remote-error-text", samples: "snappy-corrupt" },
    answer: whole(() => fromText(HTML)),
  },
  {
    title: "answers JSON",
    code: "content-type",
    answer: status(200, '{"status":"success"}', { "Content-Type": "application/json" }),
  },
  {
    title: "answers in the other form than it says",
    code: { frames: "frame-truncated", samples: "snappy-corrupt" },
    answer: (held, form) => answerWhole(bodyOf(held, form === "frames" ? "samples" : "frames"), typeOf(form)),
  },
];

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

/** A short message as a block of snappy: one literal. */
function literalSnappy(message: Uint8Array): Uint8Array {
  return concatenate(varint(message.length), Uint8Array.of((message.length - 1) << 2), message);
}

const isBeforeM5 = ({ name }: HeldSeries): boolean => name < "m5";

const CUTS: readonly Fault[] = [
  ...(["content-length", "chunked", "reset"] as const).flatMap((cut) =>
    [false, true].map((isBoundary): Fault => ({
      title: `is cut ${isBoundary ? "between two frames" : "in mid-frame"}: ${cut}`,
      code: "body-truncated",
      atLatest: "m3",
      answer: (held, form) => {
        const body = bodyOf(held, form);
        return answerCut(cut, body.subarray(0, cutAt(held, form, isBoundary)), body.length, typeOf(form));
      },
    })),
  ),
  {
    title: "ends cleanly in mid-frame",
    code: { frames: "frame-truncated", samples: "snappy-corrupt" },
    from: "m3",
    answer: (held, form) => answerWhole(bodyOf(held, form).subarray(0, cutAt(held, form)), typeOf(form)),
  },
  {
    title: "ends cleanly between two frames, which nobody can see",
    forms: ["frames"],
    sent: (held) => held.filter(isBeforeM5),
    answer: (held) => answerWhole(frames(held.filter(isBeforeM5))),
  },
  {
    title: "ends cleanly before the first frame, which nobody can see",
    forms: ["frames"],
    sent: () => [],
    answer: () => answerWhole(new Uint8Array(0)),
  },
  {
    title: "ends cleanly before the first byte",
    code: "snappy-corrupt",
    forms: ["samples"],
    answer: () => answerWhole(new Uint8Array(0), SAMPLES_TYPE),
  },
  {
    title: "ends with the connection in mid-frame",
    code: { frames: "frame-truncated", samples: "snappy-corrupt" },
    from: "m3",
    isUnverifiable: true,
    answer: (held, form) => (response) =>
      void bareHead(response, form).end(bodyOf(held, form).subarray(0, cutAt(held, form))),
  },
  {
    title: "ends with the connection between two frames, which nobody can see, but that it cannot be seen",
    forms: ["frames"],
    sent: (held) => held.filter(isBeforeM5),
    isUnverifiable: true,
    answer: (held, form) => (response) => void bareHead(response, form).end(frames(held.filter(isBeforeM5))),
  },
];

/** The same, with another in the place of one series. */
function withSeries(held: readonly HeldSeries[], name: string, ...others: readonly HeldSeries[]): HeldSeries[] {
  return held.flatMap((series) => (series.name === name ? others : [series]));
}

function named(held: readonly HeldSeries[], name: string): HeldSeries {
  return held.find((series) => series.name === name)!;
}

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

export const FAULTS: readonly Fault[] = [...SILENT, ...STATUSES, ...BODIES, ...CUTS, ...ORDER, ...CHUNKS];

/** The answer of a good replica. */
export function wholeAnswer(held: readonly HeldSeries[], form: Form): Answer {
  return answerWhole(bodyOf(held, form), typeOf(form));
}
