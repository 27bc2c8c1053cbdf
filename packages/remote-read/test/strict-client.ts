/**
 * A strict twin of Prometheus' own client (storage/remote/client.go, codec.go and chunked.go of 3.14), for what we serve. What
 * the original reports, panics on or swallows is an error here, and so is what it takes in a way that nobody means: a label
 * set that comes twice, samples that it has to clip, series and chunks out of order.
 */
import snappyjs from "snappyjs";

import { naiveCrc32c, toHex } from "./bytes.ts";
import { decodeNaively } from "./naive-xor.ts";

export interface ClientQuery {
  readonly startMs: number;
  readonly endMs: number;
  /** Whether it is a query of the series API, which looks at label sets only: they come without samples. */
  readonly wantsLabelSetsOnly?: boolean;
}

/** A sample: time in ms, the value's bits in hexadecimal. */
export type ClientRow = readonly [number, string];

export interface ClientSeries {
  /** Names and values in turn, as they were sent. */
  readonly labels: readonly string[];
  readonly rows: readonly ClientRow[];
  /** The chunks as they came, none in an answer of samples. */
  readonly chunks: readonly Uint8Array[];
}

export interface ClientAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: Uint8Array;
}

/** The limit that its configuration sets. */
const FRAME_BYTES_MAX = 50_000_000;
const XOR = 1n;

/** The series of each query, in the order of the answer. Throws on whatever the original would trip over. */
export function readStrictly(answer: ClientAnswer, queries: readonly ClientQuery[]): ClientSeries[][] {
  if (answer.status !== 200) {
    throw new Error(`remote server returned http status ${answer.status}: ${new TextDecoder().decode(answer.body)}`);
  }
  const results = readResults(answer, queries.length);
  for (const [index, series] of results.entries()) {
    checkSeries(series, queries[index]!);
  }
  return results;
}

function readResults({ contentType, body }: ClientAnswer, queryCount: number): ClientSeries[][] {
  if (contentType === "application/x-protobuf") {
    return readSamples(body, queryCount);
  }
  if (contentType === "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse") {
    return readFrames(body, queryCount);
  }
  throw new Error(`unsupported content type: ${contentType}`);
}

function readSamples(body: Uint8Array, queryCount: number): ClientSeries[][] {
  const results = messagesOf(snappyjs.uncompress(body), 1).map((result) =>
    messagesOf(result, 1).map((series) => ({
      labels: readLabels(series),
      rows: messagesOf(series, 2).map((sample) => readSample(sample)),
      chunks: [],
    })),
  );
  if (results.length !== queryCount) {
    throw new Error(`responses: want ${queryCount}, got ${results.length}`);
  }
  return results;
}

function readSample(message: Uint8Array): ClientRow {
  let bits = "0".repeat(16);
  let timeMs = 0n;
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1 && typeof value !== "bigint") {
      bits = toHex(value.toReversed());
    } else if (number === 2 && typeof value === "bigint") {
      timeMs = BigInt.asIntN(64, value);
    }
  }
  return [Number(timeMs), bits];
}

function readFrames(body: Uint8Array, queryCount: number): ClientSeries[][] {
  const results: ClientSeries[][] = Array.from({ length: queryCount }, () => []);
  let queryBefore = 0;
  for (const payload of framesOf(body)) {
    // The original panics on a frame without a series, drops all but the first, and takes every frame for a new one.
    const [series, further] = messagesOf(payload, 1);
    if (series === undefined || further !== undefined) {
      throw new Error("panic: a frame holds no series, or more than one");
    }
    const queryIndex = Number(numberOf(payload, 2));
    if (queryIndex < queryBefore || queryIndex >= queryCount) {
      throw new Error(`a frame of query ${queryIndex} after one of query ${queryBefore}, of ${queryCount}`);
    }
    queryBefore = queryIndex;
    const chunks = messagesOf(series, 2).map((chunk) => readChunk(chunk));
    checkChunkOrder(chunks);
    results[queryIndex]!.push({
      labels: readLabels(series),
      rows: chunks.flatMap(({ rows }) => rows),
      chunks: chunks.map(({ data }) => data),
    });
  }
  return results;
}

function framesOf(body: Uint8Array): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const { value, end } = readVarint(body, at);
    const start = end + 4;
    const length = Number(value);
    if (length === 0) {
      throw new Error("panic: an empty frame");
    }
    if (length > FRAME_BYTES_MAX) {
      throw new Error(`chunkedReader: message size exceeded the limit ${FRAME_BYTES_MAX} bytes; got: ${length} bytes`);
    }
    if (start + length > body.length) {
      throw new Error("unexpected EOF");
    }
    const payload = body.subarray(start, start + length);
    if (new DataView(body.buffer, body.byteOffset).getUint32(end) !== naiveCrc32c(payload)) {
      throw new Error("chunkedReader: corrupted frame; checksum mismatch");
    }
    payloads.push(payload);
    at = start + length;
  }
  return payloads;
}

interface ClientChunk {
  readonly minMs: number;
  readonly maxMs: number;
  readonly data: Uint8Array;
  readonly rows: readonly ClientRow[];
}

function readChunk(message: Uint8Array): ClientChunk {
  const [data] = messagesOf(message, 4);
  if (data === undefined || data.length < 2) {
    throw new Error("panic: chunk of less than two bytes");
  }
  if (numberOf(message, 3) !== XOR) {
    throw new Error(`invalid chunk encoding "${numberOf(message, 3)}"`);
  }
  const samples = decodeNaively(data);
  if (typeof samples === "string" || samples.length === 0) {
    throw new Error(`chunk is ${typeof samples === "string" ? samples : "empty"}, which the original would hide`);
  }
  const rows = samples.map(({ time, bits }): ClientRow => [Number(time), bits.toString(16).padStart(16, "0")]);
  const minMs = Number(numberOf(message, 1));
  const maxMs = Number(numberOf(message, 2));
  if (rows[0]![0] !== minMs || rows.at(-1)![0] !== maxMs) {
    throw new Error(`chunk claims ${minMs} to ${maxMs}, which a seek would believe`);
  }
  return { minMs, maxMs, data, rows };
}

function checkChunkOrder(chunks: readonly ClientChunk[]): void {
  if (chunks.length === 0) {
    throw new Error("a series without chunks");
  }
  for (const [index, { minMs }] of chunks.entries()) {
    if (index > 0 && minMs <= chunks[index - 1]!.maxMs) {
      throw new Error("chunks overlap or are out of order, and are concatenated as they come");
    }
  }
}

function checkSeries(series: readonly ClientSeries[], { startMs, endMs, wantsLabelSetsOnly }: ClientQuery): void {
  for (const [index, { labels, rows }] of series.entries()) {
    if (index > 0 && compareBytewise(series[index - 1]!.labels, labels) >= 0) {
      throw new Error(`label set ${labels.join(",")} comes twice or out of order`);
    }
    if ((rows.length === 0) !== (wantsLabelSetsOnly ?? false)) {
      throw new Error(`series ${labels.join(",")} has ${rows.length} samples`);
    }
    for (const [row, [timeMs]] of rows.entries()) {
      if (timeMs < startMs || timeMs > endMs) {
        throw new Error(`sample at ${timeMs} is outside ${startMs} to ${endMs}`);
      }
      if (row > 0 && timeMs <= rows[row - 1]![0]) {
        throw new Error(`sample at ${timeMs} comes after one at ${rows[row - 1]![0]}`);
      }
    }
  }
}

function readLabels(series: Uint8Array): string[] {
  const labels = messagesOf(series, 1).map((label) => [textOf(label, 1), textOf(label, 2)] as const);
  for (const [index, [name, value]] of labels.entries()) {
    if (name === "" || value === "") {
      throw new Error(`invalid label ${name}=${value}`);
    }
    if (index > 0 && compareBytewise([labels[index - 1]![0]], [name]) >= 0) {
      throw new Error(`duplicate label with name: ${name}, or out of order`);
    }
  }
  return labels.flat();
}

function compareBytewise(one: readonly string[], other: readonly string[]): number {
  for (const [index, text] of one.entries()) {
    if (index >= other.length) {
      return 1;
    }
    const order = Buffer.compare(Buffer.from(text), Buffer.from(other[index]!));
    if (order !== 0) {
      return order;
    }
  }
  return one.length - other.length;
}

/** A field of a message: a number, or bytes (of eight for a double). */
interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length;) {
    const tag = readVarint(message, at);
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    if (wireType === 0) {
      const { value, end } = readVarint(message, tag.end);
      fields.push({ number, value });
      at = end;
      continue;
    }
    const length = wireType === 1 ? { value: 8n, end: tag.end } : readVarint(message, tag.end);
    at = length.end + Number(length.value);
    if ((wireType !== 1 && wireType !== 2) || at > message.length) {
      throw new Error(`proto: wire type ${wireType}, or unexpected EOF`);
    }
    fields.push({ number, value: message.subarray(length.end, at) });
  }
  return fields;
}

function messagesOf(message: Uint8Array, number: number): Uint8Array[] {
  return fieldsOf(message).flatMap((field) =>
    field.number === number && typeof field.value !== "bigint" ? [field.value] : [],
  );
}

/** The last number of a field; 0 where there is none. */
function numberOf(message: Uint8Array, number: number): bigint {
  const values = fieldsOf(message).flatMap((field) =>
    field.number === number && typeof field.value === "bigint" ? [field.value] : [],
  );
  return BigInt.asIntN(64, values.at(-1) ?? 0n);
}

function textOf(message: Uint8Array, number: number): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(messagesOf(message, number).at(-1));
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n;
  for (let end = start; end < start + 10; end++) {
    const byte = bytes[end];
    if (byte === undefined) {
      throw new Error("unexpected EOF");
    }
    value |= BigInt(byte & 127) << BigInt(7 * (end - start));
    if (byte < 128) {
      return { value, end: end + 1 };
    }
  }
  throw new Error("binary: varint overflows a 64-bit integer");
}
