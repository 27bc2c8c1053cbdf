/** The recorded vectors, checked with nothing but the public packages: runs wherever there is JavaScript with fetch. */
import { chain, columnsBlock, dedup, findStaleRows, interval, splice } from "@promsplice/core";
import { memoryReader, readHandler, remoteReader } from "@promsplice/remote-read";

const STALE = "7ff0000000000002";
const SPECIAL = new Map([
  ["stale", STALE],
  ["+Inf", "7ff0000000000000"],
  ["-Inf", "fff0000000000000"],
  ["-0", "8000000000000000"],
]);

/**
 * Checks all and says how much that was.
 *
 * @param data `chunks` as `{encoding, hex, rows}`, `cases` as the lines of strategies.jsonl, `recordings` as `{hex, type, series}`.
 * @throws Error at the first thing that is not as recorded.
 */
export async function checkAll({ chunks, cases, recordings }) {
  const counts = { chunks: 0, rows: 0, encoded: 0, cases: 0, recordings: 0, stale: 0 };
  for (const chunk of chunks) {
    await checkChunk(chunk, counts);
  }
  for (const recorded of cases) {
    checkCase(recorded, counts);
  }
  for (const { hex, type, series } of recordings) {
    const read = await readAll(fromHex(hex), type);
    equal(JSON.stringify(read), JSON.stringify(series), "recording");
    counts.recordings++;
  }
  checkStale(counts);
  return counts;
}

/** A chunk as a client gets it, and float chunks of XOR once more through the handler and a second client. */
async function checkChunk({ name, encoding, hex, rows }, counts) {
  const times = rows.map(({ t }) => Number(t));
  const frame = chunkFrame(times[0], times.at(-1), encoding, fromHex(hex));
  const fetch = async () => answer(frame, CHUNKS);
  const [series] = await collect(remoteReader({ url: "http://replica.test/api/v1/read", fetch }));
  const blocks = [...series.blocks];
  equal(blocks.flatMap((block) => [...block.timestamps()]).join(), times.join(), `times of ${name}`);
  if (blocks[0].kind === "float") {
    equal(blocks.flatMap((block) => bitsOf(block.values())).join(), rows.map(({ bits }) => bits).join(), name);
    counts.stale += rows.filter(({ bits }) => bits === STALE).length;
    const timestamps = Float64Array.from(times);
    const values = fromBits(rows.map(({ bits }) => bits));
    const stored = memoryReader([{ labels: ["__name__", "up"], blocks: [columnsBlock({ timestamps, values })] }]);
    const handle = readHandler(stored);
    const served = remoteReader({
      url: "http://splice.test/api/v1/read",
      fetch: (url, init) => handle(new Request(url, { ...init, signal: null })),
    });
    const [again] = await collect(served);
    equal(
      [...again.blocks].flatMap((block) => bitsOf(block.values())).join(),
      rows.map(({ bits }) => bits).join(),
      `${name}, encoded`,
    );
    counts.encoded++;
  }
  counts.chunks++;
  counts.rows += rows.length;
}

function checkCase({ id, strategy, params, replicas, expect }, counts) {
  const made = { chain, interval }[strategy](params ?? {});
  const columns = replicas.map(({ t, v }) => ({ timestamps: Float64Array.from(t), values: valuesOf(v) }));
  const spliced = dedup(columns, made);
  equal([...spliced.timestamps].join(), expect.t.join(), `times of ${id}`);
  const bits = bitsOf(spliced.values).join();
  equal(bits, bitsOf(valuesOf(expect.v)).join(), id);
  counts.cases++;
}

function checkStale(counts) {
  const timestamps = Float64Array.of(1000, 2000, 3000);
  const values = fromBits(["3ff0000000000000", STALE, "fff8000000000123"]);
  const words = [...new Uint32Array(values.buffer)].join();
  const result = dedup([{ timestamps, values }], chain());
  equal([...new Uint32Array(result.values.slice().buffer)].join(), words, "words through dedup");
  equal([...findStaleRows(result.values)].join(), "1", "the stale row");
  let rows = 0;
  for (const run of splice([[columnsBlock({ timestamps, values })]], chain())) {
    equal(bitsOf(run.block.values()).join(), bitsOf(values).join(), "words through splice");
    rows += run.end - run.start;
  }
  equal(rows, 3, "rows of splice");
  counts.stale++;
}

const CHUNKS = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

function answer(body, type) {
  const headers = { "Content-Type": type, ...(type === CHUNKS ? {} : { "Content-Encoding": "snappy" }) };
  return new Response(body, { status: 200, headers });
}

async function collect(reader) {
  const query = {
    startMs: -(2 ** 53) + 1,
    endMs: 2 ** 53 - 1,
    matchers: [{ type: "=", name: "__name__", value: "up" }],
  };
  const all = [];
  for await (const { labels, blocks } of reader.read(query)) {
    all.push({ labels: [...labels], blocks: [...blocks] });
  }
  return all;
}

async function readAll(body, type) {
  const fetch = async () => answer(body, type);
  const all = await collect(remoteReader({ url: "http://replica.test/api/v1/read", fetch }));
  return all.map(({ labels, blocks }) => [
    labels,
    blocks.flatMap((block) => [...block.timestamps()].map(String)),
    blocks.flatMap((block) => bitsOf(block.values())),
  ]);
}

/** One frame of a streamed answer: a series `up` with one chunk. */
function chunkFrame(minMs, maxMs, type, data) {
  const label = [...field(1, [...new TextEncoder().encode("__name__")]), ...field(2, [117, 112])];
  const chunk = [8, ...varint(BigInt(minMs)), 16, ...varint(BigInt(maxMs)), 24, type, ...field(4, [...data])];
  const payload = field(1, [...field(1, label), ...field(2, chunk)]);
  const crc = crc32c(payload);
  return Uint8Array.from([...varint(BigInt(payload.length)), crc >>> 24, crc >>> 16, crc >>> 8, crc, ...payload]);
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

function valuesOf(recorded) {
  return fromBits(
    recorded.map((value) =>
      typeof value === "number"
        ? bitsOf(Float64Array.of(value))[0]
        : (SPECIAL.get(value) ?? value.slice(2).padStart(16, "0")),
    ),
  );
}

function fromHex(hex) {
  return Uint8Array.from({ length: hex.length / 2 }, (_, byte) =>
    Number.parseInt(hex.slice(2 * byte, 2 * byte + 2), 16),
  );
}

function fromBits(bits) {
  const words = bits.flatMap((text) => [text.slice(8), text.slice(0, 8)].map((half) => Number.parseInt(half, 16)));
  return new Float64Array(Uint32Array.from(words).buffer);
}

function bitsOf(values) {
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  return Array.from(values, (_, row) =>
    [words[2 * row + 1], words[2 * row]].map((word) => word.toString(16).padStart(8, "0")).join(""),
  );
}

function equal(actual, expected, what) {
  if (actual !== expected) {
    throw new Error(`${what}: ${String(actual).slice(0, 300)} instead of ${String(expected).slice(0, 300)}`);
  }
}
