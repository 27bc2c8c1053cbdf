/** Messages changed field by field, their lengths right: fields doubled, left out, moved, and put in from other messages. */
import { varint } from "../bytes.ts";
import { below, pick, type Random } from "./mutation.ts";

/** The fields of a message that are messages themselves, by number. */
export interface Nesting {
  readonly [field: number]: Nesting;
}

/** A field as its bytes, tag included, or as the message that it holds. */
type Field = Uint8Array | Message;

interface Message {
  /** Of the field that it is; 0 for the outermost. */
  readonly tag: number;
  readonly nesting: Nesting;
  readonly fields: Field[];
}

const BYTES = 2;

/** A sound message with so many changes, in it or in those within; `others` are sound messages of the same kind. */
export function mutateFields(
  random: Random,
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  nesting: Nesting,
  changes: number,
): Uint8Array {
  const message = parse(bytes, 0, nesting);
  for (let left = changes; left > 0; left--) {
    const { fields, nesting: kind } = pick(random, messagesIn(message));
    const at = below(random, fields.length + 1);
    const own = fields[below(random, fields.length)];
    switch (below(random, 4)) {
      case 0:
        fields.splice(at, 1);
        break;
      case 1:
        fields.splice(at, 0, ...(own === undefined ? [] : [own]));
        break;
      case 2:
        fields.splice(at, 0, ...fields.splice(below(random, fields.length), 1));
        break;
      default: {
        const alike = messagesIn(parsedOnce(pick(random, others), nesting)).filter((one) => one.nesting === kind);
        const taken = alike.length === 0 ? [] : pick(random, alike).fields;
        const start = below(random, taken.length);
        fields.splice(at, 0, ...taken.slice(start, start + 1 + below(random, 4)));
      }
    }
  }
  return write(message);
}

/** The message and all in it. */
function messagesIn(message: Message): Message[] {
  const all = [message];
  for (const one of all) {
    for (const field of one.fields) {
      if (!(field instanceof Uint8Array)) {
        all.push(field);
      }
    }
  }
  return all;
}

/** What has been parsed, for those that only fields are taken from. */
const parsed = new Map<Uint8Array, Message>();

function parsedOnce(bytes: Uint8Array, nesting: Nesting): Message {
  const message = parsed.get(bytes) ?? parse(bytes, 0, nesting);
  parsed.set(bytes, message);
  return message;
}

function parse(bytes: Uint8Array, ownTag: number, nesting: Nesting): Message {
  const fields: Field[] = [];
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let worth = 1; ; worth *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * worth;
      if (byte < 128) {
        return value;
      }
    }
  };
  while (at < bytes.length) {
    const start = at;
    const tag = readVarint();
    const type = tag & 7;
    const length = type === 0 || type === BYTES ? readVarint() : type === 1 ? 8 : 4;
    const contentStart = at;
    at += type === 0 ? 0 : length;
    const inner = type === BYTES ? nesting[tag >>> 3] : undefined;
    fields.push(inner === undefined ? bytes.subarray(start, at) : parse(bytes.subarray(contentStart, at), tag, inner));
  }
  return { tag: ownTag, nesting, fields };
}

function write({ fields }: Message): Uint8Array {
  return Buffer.concat(
    fields.flatMap((field) => {
      if (field instanceof Uint8Array) {
        return field;
      }
      const content = write(field);
      return [varintBytes(field.tag), varintBytes(content.length), content];
    }),
  );
}

function varintBytes(value: number): Uint8Array {
  return value < 128 ? Uint8Array.of(value) : varint(value);
}
