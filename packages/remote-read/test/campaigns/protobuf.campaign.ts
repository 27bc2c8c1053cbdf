/**
 * Recorded messages with bytes changed, through our decoders and through protobufjs' reflection: what ours take, that takes too,
 * and both say the same. What ours refuse is one of our errors.
 */
import { isDeepStrictEqual } from "node:util";

import { seededRandom } from "../../../core/test/random.ts";
import { decodeChunkedResponse } from "../../src/chunked-response.ts";
import { decodeReadRequest } from "../../src/read-request.ts";
import { decodeReadResponse } from "../../src/read-response.ts";
import { RemoteReadError } from "../../src/remote-read-error.ts";
import { FrameParser } from "../../src/wire/frame.ts";
import { bitsOf } from "../bytes.ts";
import { exactRows } from "../exact-histogram.ts";
import { encodeByReflection, reflect } from "../prompb.ts";
import { chunksNames, exchangeNames, readClientRequests, readRecording, samplesNames } from "../recording.ts";
import { campaign } from "./campaign.ts";
import { mutateFields, type Nesting } from "./field-tree.ts";
import { below, mutate, pick, type Random } from "./mutation.ts";
import {
  forgetNan,
  forgetNans,
  plainFrame,
  plainRequest,
  plainResponse,
  type PlainRow,
  type ReflectedFrame,
  type ReflectedRequest,
  type ReflectedResponse,
} from "./reflected.ts";
import { uncompressStrictly } from "./strict-snappy.ts";

interface Kind {
  readonly message: string;
  readonly recorded: readonly Uint8Array[];
  /** Such as have every field that there is, to take fields from. */
  readonly full: readonly Uint8Array[];
  readonly nesting: Nesting;
  readonly decode: (bytes: Uint8Array) => unknown;
  /** What reflection shows, as `decode` gives it. */
  readonly normalize: (reflected: Record<string, unknown>) => unknown;
}

const HINTS = { step_ms: 15, func: "rate", start_ms: 1, end_ms: 2, grouping: ["job", "le"], by: true, range_ms: 300 };

const SIDES = {
  negative_spans: [{ offset: -2, length: 1 }],
  positive_spans: [
    { offset: 1, length: 1 },
    { offset: 2, length: 1 },
  ],
  sum: 1.5,
  zero_threshold: 0.25,
  reset_hint: 2,
};

const INTEGERS = {
  ...SIDES,
  count_int: 7,
  zero_count_int: 2,
  schema: 3,
  negative_deltas: [1],
  positive_deltas: [3, -1],
  timestamp: 1_700_000_000_000,
};

const FLOATS = {
  ...SIDES,
  count_float: 7.5,
  zero_count_float: 2.5,
  schema: -53,
  negative_counts: [1],
  positive_counts: [3, 1],
  custom_values: [0.5, 1],
  timestamp: 1_700_000_001_000,
};

const kinds: readonly Kind[] = [
  {
    message: "ReadRequest",
    recorded: [
      ...exchangeNames.map((name) => `${name}.req.bin`),
      ...[...readClientRequests().keys()].map((name) => `client-requests/${name}.req.bin`),
    ].flatMap((file) => uncompressStrictly(readRecording(file)) ?? []),
    full: [
      encodeByReflection("ReadRequest", {
        queries: [HINTS, { ...HINTS, func: "", step_ms: 0, by: false }].map((hints) => ({
          start_timestamp_ms: -5,
          end_timestamp_ms: 5,
          matchers: [{ type: 3, name: "job", value: "a|b" }],
          hints,
        })),
        accepted_response_types: [1, 0],
      }),
    ],
    nesting: { 1: { 3: {}, 4: {} } },
    decode: decodeReadRequest,
    normalize: (reflected) => plainRequest(reflected as unknown as ReflectedRequest),
  },
  {
    message: "ReadResponse",
    recorded: samplesNames.map((name) => readRecording(`${name}.resp.pb`)),
    full: [
      encodeByReflection("ReadResponse", {
        results: [
          {
            timeseries: [
              {
                labels: [{ name: "job", value: "x" }],
                samples: [{ value: -0.5, timestamp: 1_700_000_001_000 }],
                histograms: [INTEGERS, FLOATS],
              },
            ],
          },
        ],
      }),
    ],
    nesting: { 1: { 1: { 1: {}, 2: {}, 4: { 8: {}, 11: {} } } } },
    decode: decodeRows,
    normalize: (reflected) => plainResponse(reflected as unknown as ReflectedResponse),
  },
  {
    message: "ChunkedReadResponse",
    recorded: chunksNames.flatMap((name) => payloadsOf(readRecording(`${name}.resp.bin`))),
    full: [
      encodeByReflection("ChunkedReadResponse", {
        chunked_series: [
          {
            labels: [{ name: "job", value: "x" }],
            chunks: [{ min_time_ms: -1, max_time_ms: 2 ** 52, type: 1, data: Uint8Array.of(0, 0) }],
          },
        ],
        query_index: 3,
      }),
    ],
    nesting: { 1: { 1: {}, 2: {} } },
    decode: (bytes) => {
      const { queryIndex, series } = decodeChunkedResponse(bytes);
      const inBase64 = series.map(({ labels, chunks }) => ({
        labels,
        chunks: chunks.map((chunk) => ({ ...chunk, data: Buffer.from(chunk.data).toString("base64") })),
      }));
      return { queryIndex, series: inBase64 };
    },
    normalize: (reflected) => plainFrame(reflected as unknown as ReflectedFrame),
  },
];

function payloadsOf(body: Uint8Array): Uint8Array[] {
  const parser = new FrameParser();
  const payloads: Uint8Array[] = [];
  parser.push(body);
  for (let payload = parser.next(); payload !== undefined; payload = parser.next()) {
    payloads.push(Uint8Array.from(payload));
  }
  return payloads;
}

/** The label sets and rows of each result. */
function decodeRows(bytes: Uint8Array): (readonly [readonly string[], PlainRow[]])[][] {
  return decodeReadResponse(bytes).results.map((list) =>
    list.map(({ labels, blocks }) => {
      const rows = Array.from(blocks, (block): PlainRow[] => {
        const samples =
          block.kind === "float" ? bitsOf(block.values()).map(forgetNan) : exactRows(block).map(forgetNans);
        return Array.from(block.timestamps(), (timestampMs, row) => [timestampMs, samples[row]!] as const);
      });
      return [labels, rows.flat()] as const;
    }),
  );
}

/** A message with changed fields, with changed bytes, or with both. */
function changedMessage(random: Random, { recorded, full, nesting }: Kind): Uint8Array {
  const isByFields = random() < 0.6;
  const message = pick(random, random() < 0.9 ? recorded : full);
  const others = random() < 0.5 ? recorded : full;
  const changed = isByFields ? mutateFields(random, message, others, nesting, 1 + below(random, 4)) : message;
  return mutate(random, changed, recorded, isByFields ? pick(random, [0, 0, 1]) : 1 + below(random, 3));
}

/** What is decoded, or one of our errors; anything else that is thrown is a failure. */
function outcomeOf(kind: Kind, bytes: Uint8Array): { readonly decoded?: unknown; readonly code: string } {
  try {
    return { decoded: kind.decode(bytes), code: "accepted" };
  } catch (error) {
    if (error instanceof RemoteReadError) {
      return { code: error.code };
    }
    throw error;
  }
}

campaign(
  "changed messages are refused, or mean what another implementation says",
  { count: 200_000, of: "messages", seconds: 8 },
  (cases) => {
    const codes = new Map<string, number>();
    for (const seed of cases) {
      const random = seededRandom(seed);
      const kind = pick(random, kinds);
      const bytes = changedMessage(random, kind);
      const { decoded, code } = outcomeOf(kind, bytes);
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (code === "accepted") {
        const expected = kind.normalize(reflect(kind.message, bytes));
        if (!isDeepStrictEqual(decoded, expected)) {
          const texts = [JSON.stringify(expected), JSON.stringify(decoded), Buffer.from(bytes).toString("hex")];
          throw new Error(`${kind.message}: expected ${texts[0]}, got ${texts[1]} of ${texts[2]}`);
        }
      }
    }
    return Object.fromEntries(codes);
  },
);
