/** The places of the messages of remote read where bytes can be put: each kind of message, wherever it is in others. */
import { decodeChunkedResponse } from "../src/chunked-response.ts";
import { decodeReadRequest } from "../src/read-request.ts";
import { decodeReadResponse } from "../src/read-response.ts";
import { bitsOf, concatenate, field, fromHex } from "./bytes.ts";
import { exactRows } from "./exact-histogram.ts";

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;

/** Wire types of the fields that a kind of message has; of lists that may be packed both. */
type Fields = Readonly<Record<number, readonly number[]>>;

/** A message with fields of its own around what is put into it. */
interface Level {
  /** Number of the field that it is of the message around it; 0 for the outermost. */
  readonly number: number;
  readonly before: string;
  readonly after: string;
  readonly fields: Fields;
}

export interface Place {
  readonly name: string;
  readonly fields: Fields;
  /** The message with these fields at its place; behind it go other fields of the messages around it. */
  readonly nest: (fields: Uint8Array) => Uint8Array;
  /** All that the message means, as plain data. */
  readonly decode: (message: Uint8Array) => unknown;
}

const REQUEST: Level = { number: 0, before: "", after: "120101", fields: { 1: [BYTES], 2: [VARINT, BYTES] } };
const QUERY: Level = {
  number: 1,
  before: "0801",
  after: "1002",
  fields: { 1: [VARINT], 2: [VARINT], 3: [BYTES], 4: [BYTES] },
};
const MATCHER: Level = {
  number: 3,
  before: "0801120161",
  after: "1a0162",
  fields: { 1: [VARINT], 2: [BYTES], 3: [BYTES] },
};
const HINTS: Level = {
  number: 4,
  before: "0801120161",
  after: "3001",
  fields: { 1: [VARINT], 2: [BYTES], 3: [VARINT], 4: [VARINT], 5: [BYTES], 6: [VARINT], 7: [VARINT] },
};

const RESPONSE: Level = { number: 0, before: "", after: "0a00", fields: { 1: [BYTES] } };
const RESULT: Level = { number: 1, before: "", after: "0a00", fields: { 1: [BYTES] } };
const SERIES: Level = {
  number: 1,
  before: "0a060a0161120162",
  after: "120b09000000000000f03f1001",
  fields: { 1: [BYTES], 2: [BYTES], 4: [BYTES] },
};
const LABEL: Level = { number: 1, before: "0a0163", after: "120164", fields: { 1: [BYTES], 2: [BYTES] } };
const SAMPLE: Level = {
  number: 2,
  before: "09000000000000f03f",
  after: "1005",
  fields: { 1: [FIXED_64], 2: [VARINT] },
};
const HISTOGRAM: Level = {
  number: 4,
  before: "08036201027805",
  after: "3001",
  fields: {
    1: [VARINT],
    2: [FIXED_64],
    3: [FIXED_64],
    4: [VARINT],
    5: [FIXED_64],
    6: [VARINT],
    7: [FIXED_64],
    8: [BYTES],
    9: [VARINT, BYTES],
    10: [FIXED_64, BYTES],
    11: [BYTES],
    12: [VARINT, BYTES],
    13: [FIXED_64, BYTES],
    14: [VARINT],
    15: [VARINT],
    16: [FIXED_64, BYTES],
  },
};
/** With a span for the bucket that it has. */
const SOUND_HISTOGRAM: Level = { ...HISTOGRAM, before: "08036201025a0210017805" };
const SPAN: Level = { number: 11, before: "1001", after: "0802", fields: { 1: [VARINT], 2: [VARINT] } };

const STREAMED: Level = { number: 0, before: "", after: "1003", fields: { 1: [BYTES], 2: [VARINT] } };
const CHUNKED_SERIES: Level = {
  number: 1,
  before: "0a060a0161120162",
  after: "12021801",
  fields: { 1: [BYTES], 2: [BYTES] },
};
const CHUNK: Level = {
  number: 2,
  before: "080110021801",
  after: "22020000",
  fields: { 1: [VARINT], 2: [VARINT], 3: [VARINT], 4: [BYTES] },
};

/** The results of a SAMPLES answer to the last bit. */
function decodeExactly(message: Uint8Array): unknown {
  return decodeReadResponse(message).results.map((list) =>
    list.map(({ labels, blocks }) => [
      labels,
      Array.from(blocks, (block) =>
        block.kind === "float" ? [[...block.timestamps()], bitsOf(block.values())] : exactRows(block),
      ),
    ]),
  );
}

function placeOf(name: string, decode: Place["decode"], ...levels: readonly Level[]): Place {
  const innermost = levels.at(-1)!;
  return {
    name,
    fields: innermost.fields,
    decode,
    nest: (fields) => {
      let bytes = concatenate(fromHex(innermost.before), fromHex(innermost.after), fields);
      for (let depth = levels.length - 1; depth > 0; depth--) {
        const { before, after } = levels[depth - 1]!;
        bytes = concatenate(fromHex(before), field(levels[depth]!.number, bytes), fromHex(after));
      }
      return bytes;
    },
  };
}

export const places: readonly Place[] = [
  placeOf("ReadRequest", decodeReadRequest, REQUEST),
  placeOf("Query", decodeReadRequest, REQUEST, QUERY),
  placeOf("LabelMatcher", decodeReadRequest, REQUEST, QUERY, MATCHER),
  placeOf("ReadHints", decodeReadRequest, REQUEST, QUERY, HINTS),
  placeOf("ReadResponse", decodeExactly, RESPONSE),
  placeOf("QueryResult", decodeExactly, RESPONSE, RESULT),
  placeOf("TimeSeries", decodeExactly, RESPONSE, RESULT, SERIES),
  placeOf("Label of a TimeSeries", decodeExactly, RESPONSE, RESULT, SERIES, LABEL),
  placeOf("Sample", decodeExactly, RESPONSE, RESULT, SERIES, SAMPLE),
  placeOf("Histogram", decodeExactly, RESPONSE, RESULT, SERIES, SOUND_HISTOGRAM),
  placeOf("BucketSpan", decodeExactly, RESPONSE, RESULT, SERIES, HISTOGRAM, SPAN),
  placeOf("ChunkedReadResponse", decodeChunkedResponse, STREAMED),
  placeOf("ChunkedSeries", decodeChunkedResponse, STREAMED, CHUNKED_SERIES),
  placeOf("Label of a ChunkedSeries", decodeChunkedResponse, STREAMED, CHUNKED_SERIES, LABEL),
  placeOf("Chunk", decodeChunkedResponse, STREAMED, CHUNKED_SERIES, CHUNK),
];
