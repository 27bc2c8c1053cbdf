/** Answers for a client and answers of a handler, without a socket: the requests go from the one to the other as objects. */
import { readHandler, remoteReader } from "@promsplice/remote-read";

export const STREAMED_TYPE = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
export const SAMPLES_TYPE = "application/x-protobuf";

/** By the name of the response type. */
const CONTENT_TYPES = { STREAMED_XOR_CHUNKS: STREAMED_TYPE, SAMPLES: SAMPLES_TYPE };

const EVERYTHING = {
  startMs: -(2 ** 53),
  endMs: 2 ** 53,
  matchers: [{ type: "=~", name: "__name__", value: ".+" }],
};

/** A reader whose server answers with this body. */
export function answering(body, type) {
  const headers = { "Content-Type": type, ...(type === STREAMED_TYPE ? {} : { "Content-Encoding": "snappy" }) };
  const fetch = async () => new Response(body, { status: 200, headers });
  return remoteReader({ url: "http://replica.test/api/v1/read", fetch });
}

/** A reader over a handler over a reader, that asks for one response type and insists on it; `onBody` gets the answers. */
export function served(reader, responseType, onBody = () => {}) {
  const handle = readHandler(reader);
  const fetch = async (url, init) => {
    const response = await handle(new Request(url, { ...init, signal: null }));
    const type = response.headers.get("Content-Type");
    if (type !== CONTENT_TYPES[responseType]) {
      throw new Error(`answered with ${response.status} ${type} where ${responseType} was asked for`);
    }
    const body = new Uint8Array(await response.arrayBuffer());
    onBody(body);
    return new Response(body, { status: response.status, headers: response.headers });
  };
  return remoteReader({ url: "http://splice.test/api/v1/read", fetch, responseTypes: [responseType] });
}

/** All series of a reader, their blocks in arrays. */
export async function collect(reader) {
  const all = [];
  for await (const { labels, blocks } of reader.read(EVERYTHING)) {
    all.push({ labels: [...labels], blocks: [...blocks] });
  }
  return all;
}

/** One frame of a streamed answer: a series `up` with one chunk. */
export function chunkFrame({ minMs, maxMs, encoding, data }) {
  const label = [...field(1, new TextEncoder().encode("__name__")), ...field(2, [117, 112])];
  const chunk = [8, ...varint(BigInt(minMs)), 16, ...varint(BigInt(maxMs)), 24, encoding, ...field(4, data)];
  const payload = field(1, [...field(1, label), ...field(2, chunk)]);
  const crc = crc32c(payload);
  return Uint8Array.from([...varint(BigInt(payload.length)), crc >>> 24, crc >>> 16, crc >>> 8, crc, ...payload]);
}

/** The chunks in the frames of a streamed answer, whatever their series: `encoding` and `data`. */
export function chunksOfFrames(body) {
  const chunks = [];
  for (let at = 0; at < body.length;) {
    const [length, start] = readVarint(body, at);
    at = start + 4 + Number(length);
    for (const series of fieldsOf(body.subarray(start + 4, at)).filter(({ number }) => number === 1)) {
      for (const chunk of fieldsOf(series.value).filter(({ number }) => number === 2)) {
        const fields = new Map(fieldsOf(chunk.value).map(({ number, value }) => [number, value]));
        chunks.push({ encoding: Number(fields.get(3)), data: fields.get(4) });
      }
    }
  }
  return chunks;
}

function fieldsOf(message) {
  const fields = [];
  for (let at = 0; at < message.length;) {
    const [tag, afterTag] = readVarint(message, at);
    const [value, afterValue] = readVarint(message, afterTag);
    const isBytes = (tag & 7n) === 2n;
    at = isBytes ? afterValue + Number(value) : afterValue;
    fields.push({ number: Number(tag >> 3n), value: isBytes ? message.subarray(afterValue, at) : value });
  }
  return fields;
}

function readVarint(bytes, at) {
  let value = 0n;
  for (let shift = 0n, place = at; ; shift += 7n, place++) {
    value |= BigInt(bytes[place] & 127) << shift;
    if (bytes[place] < 128) {
      return [value, place + 1];
    }
  }
}

function field(number, bytes) {
  return [number * 8 + 2, ...varint(BigInt(bytes.length)), ...bytes];
}

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | 128);
  }
  return [...bytes, Number(rest)];
}

function crc32c(bytes) {
  let state = 0xffffffff;
  for (const byte of bytes) {
    state ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      state = (state >>> 1) ^ ((state & 1) === 1 ? 0x82f63b78 : 0);
    }
  }
  return (state ^ 0xffffffff) >>> 0;
}
