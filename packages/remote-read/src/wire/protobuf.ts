/**
 * Protobuf's wire format: fields with numbers, read and written through the Reader and Writer of `protobufjs/minimal`, which
 * only this file names. Neither reflection nor its 64-bit numbers (an object each) are used.
 *
 * A message is read by a loop over its fields:
 *
 *     while (hasField(reader)) {
 *       const tag = readTag(reader);
 *       switch (tag >>> 3) {
 *         case 1: name = readString(reader, tag); break;      checks the wire type that the tag names
 *         default: skipField(reader, tag);                    unknown fields are skipped
 *       }
 *     }
 *
 * Whatever is wrong is `protobuf-malformed` with the offset: a field cut off or longer than the message around it, a wrong
 * wire type, a number of more than ten bytes, a group (dropped from the format before the messages here were written).
 */
import protobuf from "protobufjs/minimal.js";

import { RemoteReadError, type RemoteReadErrorCode } from "../remote-read-error.ts";
import { exactInt64, readInt64, readInt64Halves } from "./varint.ts";

export type ProtobufReader = protobuf.Reader;
export type ProtobufWriter = protobuf.Writer;

/** The wire type of whole numbers. */
export const VARINT = 0;
/** The wire type of eight bytes as they are. */
export const FIXED_64 = 1;
/** The wire type of what has its length before it. */
export const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** The furthest a time may be from the epoch, in ms: numbers are exact up to there. */
const TIME_MS_MAX = 2 ** 53;

/**
 * Reads a message from its bytes, which are borrowed: what `read` hands out as bytes lies in them.
 *
 * @throws RemoteReadError `protobuf-malformed` with the offset, or what `read` throws itself.
 */
export function readMessage<T>(bytes: Uint8Array, read: (reader: ProtobufReader) => T): T {
  // One class of arrays and of readers in all loops, and no Buffer handed out, whatever came in.
  const reader = new protobuf.Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  try {
    return read(reader);
  } catch (error) {
    // These two are all that protobufjs and readInt64 throw; anything else is not about the bytes.
    if (error instanceof RangeError || (error instanceof Error && error.constructor === Error)) {
      throw malformed(reader, error.message, error);
    }
    throw error;
  }
}

/** The error for a message that breaks a rule at the place where the reader is. */
export function malformed(reader: ProtobufReader, problem: string, cause?: unknown): RemoteReadError {
  const message = `malformed protobuf at byte ${reader.pos}: ${problem}`;
  return new RemoteReadError("protobuf-malformed", message, { cause, offset: reader.pos });
}

/** Whether the message that is being read has another field. */
export function hasField(reader: ProtobufReader): boolean {
  return reader.pos < reader.len;
}

/** Reads the tag of the next field: its number times 8, plus its wire type. */
export function readTag(reader: ProtobufReader): number {
  const tag = reader.tag();
  if (tag >>> 3 === 0) {
    throw malformed(reader, "a field has the number 0");
  }
  return tag;
}

/** Skips a field that nobody asked for. */
export function skipField(reader: ProtobufReader, tag: number): void {
  switch (tag & 7) {
    case VARINT:
      readInt64(reader);
      break;
    case FIXED_64:
      reader.skip(8);
      break;
    case LENGTH_DELIMITED:
      reader.skip(reader.size());
      break;
    case FIXED_32:
      reader.skip(4);
      break;
    default:
      throw malformed(reader, `field ${tag >>> 3} has the wire type ${tag & 7}, which is none that is in use`);
  }
}

/** Checks that a field that is known has the wire type that it must have. */
export function checkWireType(reader: ProtobufReader, tag: number, wanted: number): void {
  if ((tag & 7) !== wanted) {
    throw malformed(reader, `field ${tag >>> 3} has the wire type ${tag & 7}, expected ${wanted}`);
  }
}

/**
 * Enters a message inside the message: fields end where it does. Gives back the end of the outer message, to be assigned to
 * `reader.len` when the inner one has been read.
 */
export function enterMessage(reader: ProtobufReader, tag: number): number {
  const outerEnd = reader.len;
  reader.len = readEnd(reader, tag);
  return outerEnd;
}

/** Skips a message inside the message, as far as this has to know of it. */
export function skipMessage(reader: ProtobufReader, tag: number): void {
  reader.pos = readEnd(reader, tag);
}

/** Reads a field of bytes, without copying them. */
export function readBytes(reader: ProtobufReader, tag: number): Uint8Array {
  const end = readEnd(reader, tag);
  const bytes = reader.buf.subarray(reader.pos, end);
  reader.pos = end;
  return bytes;
}

/** Reads a string. Throws an error of the given code if it is not UTF-8. */
export function readString(
  reader: ProtobufReader,
  tag: number,
  code: RemoteReadErrorCode = "protobuf-malformed",
): string {
  checkWireType(reader, tag, LENGTH_DELIMITED);
  const offset = reader.pos;
  try {
    return reader.stringVerify();
  } catch (error) {
    if (error instanceof TypeError) {
      const message = `the text at byte ${offset} is not UTF-8`;
      throw new RemoteReadError(code, message, { cause: error, offset });
    }
    throw error;
  }
}

/** Reads a number of which 32 bits count: an enum, or a bool as 0 and other. */
export function readInt32(reader: ProtobufReader, tag: number): number {
  checkWireType(reader, tag, VARINT);
  return reader.int32();
}

export function readBool(reader: ProtobufReader, tag: number): boolean {
  checkWireType(reader, tag, VARINT);
  return reader.bool();
}

/**
 * Reads a list of numbers of which 32 bits count, or a part of one: packed or not, both are the same message. Each is given
 * to `take`, which may throw where they are too many.
 */
export function readInt32s(reader: ProtobufReader, tag: number, take: (value: number) => void): void {
  if (!isPacked(tag)) {
    take(readInt32(reader, tag));
    return;
  }
  const outerEnd = enterMessage(reader, tag);
  while (hasField(reader)) {
    take(reader.int32());
  }
  reader.len = outerEnd;
}

/** Reads a whole number of 64 bits, brought to ±2^53 where it is outside: a bound or a length, not the time of a sample. */
export function readClampedInt64(reader: ProtobufReader, tag: number): number {
  checkWireType(reader, tag, VARINT);
  return clampMs(readInt64(reader));
}

/** Whether a list comes packed, or a part of it does. */
export function isPacked(tag: number): boolean {
  return (tag & 7) === LENGTH_DELIMITED;
}

/** Reads a whole number of 64 bits of any size as its lower and its upper half. */
export function readUint64(reader: ProtobufReader, tag: number, halves: Int32Array): void {
  checkWireType(reader, tag, VARINT);
  readInt64Halves(reader, halves);
}

/** Reads a time in ms. Throws an error of the given code, which names the time, if it is outside ±2^53. */
export function readTime(
  reader: ProtobufReader,
  tag: number,
  code: RemoteReadErrorCode = "protobuf-malformed",
): number {
  checkWireType(reader, tag, VARINT);
  const offset = reader.pos;
  const timeMs = readInt64(reader);
  if (timeMs === Infinity || timeMs === -Infinity) {
    const exact = exactInt64(reader.buf, offset, reader.pos);
    throw new RemoteReadError(code, `the time ${exact} at byte ${offset} is outside ±2^53 ms`, { offset });
  }
  return timeMs;
}

/** Brings a bound of a query into ±2^53. */
export function clampMs(boundMs: number): number {
  return Math.min(Math.max(boundMs, -TIME_MS_MAX), TIME_MS_MAX);
}

/** A writer for one message. It is of protobufjs' plain kind on every platform. */
export function createWriter(): ProtobufWriter {
  return new protobuf.Writer();
}

/** The message as bytes of its own. */
export function finishWriter(writer: ProtobufWriter): Uint8Array {
  // The writer's own buffer is larger, and for short messages a part of a pool.
  return writer.finish(true).slice();
}

/** Begins a message inside the message, as field `field`, which lasts until the writer's `ldelim()`. */
export function startNested(writer: ProtobufWriter, field: number): void {
  writer.uint32((field << 3) | LENGTH_DELIMITED).fork();
}

/**
 * Writes a string, unless it is empty: an absent field means the same.
 *
 * @throws TypeError if the string has half a surrogate pair, which has no UTF-8.
 */
export function writeString(writer: ProtobufWriter, field: number, text: string): void {
  if (text === "") {
    return;
  }
  writeElement(writer, field, text);
}

/** Writes a string of a list: an empty one is an element too. Throws as {@link writeString} does. */
export function writeElement(writer: ProtobufWriter, field: number, text: string): void {
  if (/\p{Surrogate}/u.test(text)) {
    throw new TypeError(`${JSON.stringify(text)} has half a surrogate pair`);
  }
  writer.uint32((field << 3) | LENGTH_DELIMITED).string(text);
}

/** Writes a number of 32 bits that is not negative, or a bool as 0 and 1, unless it is 0. */
export function writeUint32(writer: ProtobufWriter, field: number, value: number): void {
  if (value !== 0) {
    writer.uint32((field << 3) | VARINT).uint32(value);
  }
}

/** Writes a list of enums, packed, unless it is empty. */
export function writePackedInt32s(writer: ProtobufWriter, field: number, list: readonly number[]): void {
  if (list.length > 0) {
    startNested(writer, field);
    for (const value of list) {
      writer.int32(value);
    }
    writer.ldelim();
  }
}

/** Writes a whole number inside ±2^53, unless it is 0. */
export function writeInt64Field(writer: ProtobufWriter, field: number, value: number): void {
  if (value !== 0) {
    writer.uint32((field << 3) | VARINT).int64(value);
  }
}

function readEnd(reader: ProtobufReader, tag: number): number {
  checkWireType(reader, tag, LENGTH_DELIMITED);
  const length = reader.size();
  const end = reader.pos + length;
  if (end > reader.len) {
    throw malformed(reader, `field ${tag >>> 3} is ${length} bytes, and ${reader.len - reader.pos} are left`);
  }
  return end;
}
