/**
 * The question of remote read. One message, and only what the servers and clients of today look at:
 *
 *     ReadRequest    1 queries (Query …)   2 accepted_response_types (numbers, packed or not)
 *     Query          1 start_timestamp_ms   2 end_timestamp_ms   3 matchers (LabelMatcher …)   4 hints (ReadHints)
 *     LabelMatcher   1 type (0 =, 1 !=, 2 =~, 3 !~)   2 name   3 value
 *     ReadHints      1 step_ms   2 func   3 start_ms   4 end_ms   5 grouping (names …)   6 by   7 range_ms
 *
 * From prompb/remote.proto and prompb/types.proto of Prometheus 3.14.
 */
import type { Hints, Matcher, MatcherType, Query } from "./reader.ts";
import { RemoteReadError } from "./remote-read-error.ts";
import {
  clampMs,
  createWriter,
  enterMessage,
  finishWriter,
  hasField,
  malformed,
  type ProtobufReader,
  type ProtobufWriter,
  readBool,
  readClampedInt64,
  readInt32,
  readInt32s,
  readMessage,
  readString,
  readTag,
  skipField,
  startNested,
  writeElement,
  writeInt64Field,
  writePackedInt32s,
  writeString,
  writeUint32,
} from "./wire/protobuf.ts";

export interface ReadRequest {
  readonly queries: readonly Query[];
  /** Numbers of response types in the order of the client's wish, unknown ones included; none means samples. */
  readonly acceptedResponseTypes: readonly number[];
}

/** The types of matchers, each at the place of its number. */
const MATCHER_TYPES: readonly MatcherType[] = ["=", "!=", "=~", "!~"];

const NO_LIMITS: ReadRequestLimits = {
  queriesMax: Infinity,
  matchersMax: Infinity,
  matcherBytesMax: Infinity,
  responseTypesMax: Infinity,
};

/**
 * Encodes a request, not yet compressed. Bounds are brought to ±2^53, so infinities mean "all time".
 *
 * @throws RangeError if a time is not a whole number; TypeError if a text has half a surrogate pair or a matcher's type is
 * none of the four.
 */
export function encodeReadRequest(request: ReadRequest): Uint8Array {
  const writer = createWriter();
  for (const query of request.queries) {
    startNested(writer, 1);
    writeQuery(writer, query);
    writer.ldelim();
  }
  writePackedInt32s(writer, 2, request.acceptedResponseTypes);
  return finishWriter(writer);
}

export interface ReadRequestLimits {
  readonly queriesMax: number;
  /** Most matchers of one query, and most names that its hints group by. */
  readonly matchersMax: number;
  /** Longest matcher as it comes, in bytes: its name, its value, and what says how long they are. */
  readonly matcherBytesMax: number;
  /** Most accepted response types. */
  readonly responseTypesMax: number;
}

/**
 * Decodes a request that is not compressed any more. Bounds outside ±2^53 are brought there.
 *
 * @throws RemoteReadError `protobuf-malformed`; a matcher of an unknown type and text that is not UTF-8 are that too.
 * `limit-exceeded` at the first query, matcher, name or response type too many, and for a matcher that is too long.
 */
export function decodeReadRequest(bytes: Uint8Array, limits: ReadRequestLimits = NO_LIMITS): ReadRequest {
  return readMessage(bytes, (reader) => {
    const queries: Query[] = [];
    const acceptedResponseTypes: number[] = [];
    const accept = (type: number): void => {
      if (acceptedResponseTypes.length === limits.responseTypesMax) {
        const message = `request accepts more than ${limits.responseTypesMax} response types`;
        throw new RemoteReadError("limit-exceeded", message);
      }
      acceptedResponseTypes.push(type);
    };
    while (hasField(reader)) {
      const tag = readTag(reader);
      switch (tag >>> 3) {
        case 1:
          if (queries.length === limits.queriesMax) {
            throw new RemoteReadError("limit-exceeded", `request has more than ${limits.queriesMax} queries`);
          }
          queries.push(readQuery(reader, tag, queries.length, limits));
          break;
        case 2:
          readInt32s(reader, tag, accept);
          break;
        default:
          skipField(reader, tag);
      }
    }
    return { queries, acceptedResponseTypes };
  });
}

function writeQuery(writer: ProtobufWriter, query: Query): void {
  const { startMs, endMs, matchers, hints } = query;
  writeInt64Field(writer, 1, boundMs("startMs", startMs));
  writeInt64Field(writer, 2, boundMs("endMs", endMs));
  for (const matcher of matchers) {
    startNested(writer, 3);
    writeMatcher(writer, matcher);
    writer.ldelim();
  }
  if (hints !== undefined) {
    startNested(writer, 4);
    writeHints(writer, hints);
    writer.ldelim();
  }
}

function readQuery(reader: ProtobufReader, tag: number, index: number, limits: ReadRequestLimits): Query {
  const { matchersMax, matcherBytesMax } = limits;
  const outerEnd = enterMessage(reader, tag);
  let startMs = 0;
  let endMs = 0;
  const matchers: Matcher[] = [];
  let hints: HintsDraft | undefined;
  while (hasField(reader)) {
    const field = readTag(reader);
    switch (field >>> 3) {
      case 1:
        startMs = readClampedInt64(reader, field);
        break;
      case 2:
        endMs = readClampedInt64(reader, field);
        break;
      case 3:
        if (matchers.length === matchersMax) {
          throw new RemoteReadError("limit-exceeded", `query ${index} has more than ${matchersMax} matchers`);
        }
        matchers.push(readMatcher(reader, field, index, matcherBytesMax));
        break;
      case 4:
        hints ??= { stepMs: 0, func: "", startMs: 0, endMs: 0, grouping: [], by: false, rangeMs: 0 };
        readHints(reader, field, hints, index, matchersMax);
        break;
      default:
        skipField(reader, field);
    }
  }
  reader.len = outerEnd;
  return hints === undefined ? { startMs, endMs, matchers } : { startMs, endMs, matchers, hints };
}

function writeMatcher(writer: ProtobufWriter, { type, name, value }: Matcher): void {
  const number = MATCHER_TYPES.indexOf(type);
  if (number === -1) {
    throw new TypeError(`matcher type is ${type}, expected one of ${MATCHER_TYPES.join(" ")}`);
  }
  writeUint32(writer, 1, number);
  writeString(writer, 2, name);
  writeString(writer, 3, value);
}

function readMatcher(reader: ProtobufReader, tag: number, queryIndex: number, bytesMax: number): Matcher {
  const outerEnd = enterMessage(reader, tag);
  const bytes = reader.len - reader.pos;
  if (bytes > bytesMax) {
    throw new RemoteReadError(
      "limit-exceeded",
      `query ${queryIndex} has a matcher of ${bytes} bytes, limit is ${bytesMax}`,
    );
  }
  let number = 0;
  let name = "";
  let value = "";
  while (hasField(reader)) {
    const field = readTag(reader);
    switch (field >>> 3) {
      case 1:
        number = readInt32(reader, field);
        break;
      case 2:
        name = readString(reader, field);
        break;
      case 3:
        value = readString(reader, field);
        break;
      default:
        skipField(reader, field);
    }
  }
  reader.len = outerEnd;
  const type = MATCHER_TYPES[number];
  if (type === undefined) {
    throw malformed(reader, `matcher type is ${number}, expected 0 to ${MATCHER_TYPES.length - 1}`);
  }
  return { type, name, value };
}

function writeHints(writer: ProtobufWriter, hints: Hints): void {
  writeInt64Field(writer, 1, boundMs("hints.stepMs", hints.stepMs));
  writeString(writer, 2, hints.func);
  writeInt64Field(writer, 3, boundMs("hints.startMs", hints.startMs));
  writeInt64Field(writer, 4, boundMs("hints.endMs", hints.endMs));
  for (const name of hints.grouping) {
    writeElement(writer, 5, name);
  }
  writeUint32(writer, 6, Number(hints.by));
  writeInt64Field(writer, 7, boundMs("hints.rangeMs", hints.rangeMs));
}

/** Hints that are being read: where a query holds several, they are one, and of each number the last counts. */
type HintsDraft = { -readonly [Name in keyof Omit<Hints, "grouping">]: Hints[Name] } & { readonly grouping: string[] };

function readHints(reader: ProtobufReader, tag: number, hints: HintsDraft, queryIndex: number, namesMax: number): void {
  const outerEnd = enterMessage(reader, tag);
  while (hasField(reader)) {
    const field = readTag(reader);
    switch (field >>> 3) {
      case 1:
        hints.stepMs = readClampedInt64(reader, field);
        break;
      case 2:
        hints.func = readString(reader, field);
        break;
      case 3:
        hints.startMs = readClampedInt64(reader, field);
        break;
      case 4:
        hints.endMs = readClampedInt64(reader, field);
        break;
      case 5:
        if (hints.grouping.length === namesMax) {
          throw new RemoteReadError("limit-exceeded", `query ${queryIndex} groups by more than ${namesMax} names`);
        }
        hints.grouping.push(readString(reader, field));
        break;
      case 6:
        hints.by = readBool(reader, field);
        break;
      case 7:
        hints.rangeMs = readClampedInt64(reader, field);
        break;
      default:
        skipField(reader, field);
    }
  }
  reader.len = outerEnd;
}

function boundMs(name: string, timeMs: number): number {
  const clampedMs = clampMs(timeMs);
  if (!Number.isInteger(clampedMs)) {
    throw new RangeError(`${name} is ${timeMs}, expected a whole number of milliseconds`);
  }
  return clampedMs;
}
