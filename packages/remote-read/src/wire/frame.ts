/**
 * The frames of a streamed answer: the body is nothing but frames, one behind the other, without a header or an end mark.
 *
 *     ┌ length, uvarint ┬ CRC-32C of the payload, big-endian ┬ payload ┐┌ length …
 *
 * A frame with the payload "test1" is `05 53fe1f55 7465737431`. A server that fails in mid-answer writes its error message
 * behind the last frame, as plain text; read as a frame, that is one whose payload is cut off or whose checksum is wrong.
 *
 * From storage/remote/chunked.go of Prometheus 3.14, whose reader takes some cut-off bodies for complete ones; this does not.
 */
import { RemoteReadError } from "../remote-read-error.ts";
import { type Crc32c, crc32c as plainCrc32c } from "./crc32c.ts";
import { INT64_BYTES_MAX, int64Bytes, writeInt64 } from "./varint.ts";

/** The longest payload that is taken by default: writers of today stay below 50 MB. */
const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;

/** Room behind each payload in its buffer: decoders of chunks may read that far past the end before they notice it. */
const PAYLOAD_SLACK_BYTES = 16;

const CRC_BYTES = 4;

/** A server's error message is at most this long; more text than that is just a bad frame. */
const TEXT_BYTES_MAX = 16 * 1024;

/**
 * A server's error message has a first line of at least so many characters. A payload begins with the byte 0a, a line break,
 * behind a header that may by chance be five letters: without a minimum, a frame cut off there would be taken for a text.
 */
const TEXT_LINE_MIN = 8;

const NO_BYTES = new Uint8Array(0);

export interface FrameParserOptions {
  /** The longest payload that is taken, in bytes; 64 MiB by default. */
  readonly payloadBytesMax?: number | undefined;
  /** Used instead of our own. */
  readonly crc32c?: Crc32c | undefined;
}

/**
 * Cuts a body, which arrives in pieces of any size, into the payloads of its frames. Memory is bounded by the largest
 * payload: a piece is borrowed only until `next` has returned undefined, and the body is never gathered.
 *
 *     for each piece:   parser.push(piece); while ((payload = parser.next()) !== undefined) { … }
 *     at the end:       parser.finish();
 *
 * After an error the parser is of no more use.
 */
export class FrameParser {
  readonly #payloadBytesMax: number;
  readonly #crc32c: Crc32c;
  /** The piece in work and how much of it has been read. */
  #piece: Uint8Array = NO_BYTES;
  #pieceAt = 0;
  /** Where in the body the frame in work begins, for messages. */
  #offset = 0;
  /** Length and checksum of the frame in work, as far as they have arrived. */
  readonly #header: Uint8Array = new Uint8Array(INT64_BYTES_MAX + CRC_BYTES);
  #headerBytes = 0;
  /** How many bytes of the header are the length; 0 while that is not known. */
  #lengthBytes = 0;
  /** The payload of the frame in work, once its header is there. */
  #payload: Uint8Array | undefined = undefined;
  #payloadBytes = 0;
  /** The error of a wrong checksum, where the bytes may be the text of a server instead: the rest of the body will tell. */
  #doubt: RemoteReadError | undefined = undefined;
  #text: Uint8Array = NO_BYTES;

  constructor(options: FrameParserOptions = {}) {
    this.#payloadBytesMax = options.payloadBytesMax ?? PAYLOAD_BYTES_MAX;
    this.#crc32c = options.crc32c ?? plainCrc32c;
  }

  /** Takes the next piece of the body, after `next` has returned undefined for the one before. */
  push(piece: Uint8Array): void {
    if (this.#pieceAt < this.#piece.length) {
      throw new Error("frames of the piece before have not been taken");
    }
    this.#piece = piece;
    this.#pieceAt = 0;
  }

  /**
   * The next payload, its checksum right, in a buffer of its own that has 16 bytes of room behind it; undefined where the
   * next piece of the body is needed.
   *
   * @throws RemoteReadError `frame-too-large`, before anything is allocated; `frame-checksum`; `protobuf-malformed` for an
   * empty frame. Each has the offset of the frame in the body.
   */
  next(): Uint8Array | undefined {
    const payload = this.#doubt === undefined ? this.#nextPayload() : undefined;
    if (this.#doubt !== undefined) {
      this.#gatherText(this.#piece.subarray(this.#pieceAt), this.#doubt);
      this.#pieceAt = this.#piece.length;
    }
    return payload;
  }

  /**
   * The body has ended.
   *
   * @throws RemoteReadError if it must not end here: `remote-error-text`, whose message is what the server wrote;
   * `frame-checksum`; `frame-truncated`.
   */
  finish(): void {
    const rest = this.#doubt === undefined ? this.#arrived() : this.#text;
    if (rest.length === 0) {
      return;
    }
    const text = decodeText(rest, false);
    if (text !== undefined && text.endsWith("\n") && text.indexOf("\n") >= TEXT_LINE_MIN) {
      throw new RemoteReadError("remote-error-text", text.trim(), { offset: this.#offset });
    }
    const wanted = this.#payload === undefined ? "" : ` of ${this.#headerBytes + this.#payload.length}`;
    throw this.#doubt ?? this.#error("frame-truncated", `the body ends after ${rest.length}${wanted} bytes of it`);
  }

  #nextPayload(): Uint8Array | undefined {
    if (this.#payload === undefined && this.#readHeader()) {
      this.#payload = this.#allocatePayload();
    }
    const payload = this.#payload;
    if (payload === undefined) {
      return undefined;
    }
    const end = Math.min(this.#piece.length, this.#pieceAt + payload.length - this.#payloadBytes);
    payload.set(this.#piece.subarray(this.#pieceAt, end), this.#payloadBytes);
    this.#payloadBytes += end - this.#pieceAt;
    this.#pieceAt = end;
    return this.#payloadBytes < payload.length ? undefined : this.#finishFrame(payload);
  }

  /** Reads what there is of a header; whether it is whole. */
  #readHeader(): boolean {
    while (this.#pieceAt < this.#piece.length) {
      const byte = this.#piece[this.#pieceAt++]!;
      this.#header[this.#headerBytes++] = byte;
      if (this.#lengthBytes > 0) {
        if (this.#headerBytes === this.#lengthBytes + CRC_BYTES) {
          return true;
        }
      } else if (byte < 128) {
        this.#lengthBytes = this.#headerBytes;
      } else if (this.#headerBytes === INT64_BYTES_MAX) {
        throw this.#error("frame-too-large", `its length takes more than ${INT64_BYTES_MAX} bytes`);
      }
    }
    return false;
  }

  #allocatePayload(): Uint8Array {
    let length = 0;
    for (let index = this.#lengthBytes - 1; index >= 0; index--) {
      length = length * 128 + (this.#header[index]! & 127);
    }
    if (length > this.#payloadBytesMax) {
      throw this.#error("frame-too-large", `it is ${length} bytes, limit is ${this.#payloadBytesMax}`);
    }
    if (length === 0) {
      throw this.#error("protobuf-malformed", "it is empty, expected a message");
    }
    return new Uint8Array(new ArrayBuffer(length + PAYLOAD_SLACK_BYTES), 0, length);
  }

  #finishFrame(payload: Uint8Array): Uint8Array | undefined {
    const got = this.#crc32c(payload) >>> 0;
    const wanted = new DataView(this.#header.buffer).getUint32(this.#lengthBytes);
    if (got !== wanted) {
      this.#gatherText(
        this.#arrived(),
        this.#error("frame-checksum", `checksum is ${hex(got)}, expected ${hex(wanted)}`),
      );
      return undefined;
    }
    this.#offset += this.#headerBytes + payload.length;
    this.#headerBytes = 0;
    this.#lengthBytes = 0;
    this.#payload = undefined;
    this.#payloadBytes = 0;
    return payload;
  }

  /** Appends to what may be a server's text. Throws the error that it is otherwise as soon as it cannot be one. */
  #gatherText(bytes: Uint8Array, otherwise: RemoteReadError): void {
    const length = this.#text.length + bytes.length;
    if (length > TEXT_BYTES_MAX) {
      throw otherwise;
    }
    const text = new Uint8Array(length);
    text.set(this.#text);
    text.set(bytes, this.#text.length);
    if (decodeText(text, true) === undefined) {
      throw otherwise;
    }
    this.#text = text;
    this.#doubt = otherwise;
  }

  /** The bytes of the frame in work that have arrived. */
  #arrived(): Uint8Array {
    const bytes = new Uint8Array(this.#headerBytes + this.#payloadBytes);
    bytes.set(this.#header.subarray(0, this.#headerBytes));
    bytes.set(this.#payload?.subarray(0, this.#payloadBytes) ?? NO_BYTES, this.#headerBytes);
    return bytes;
  }

  #error(
    code: "frame-too-large" | "frame-checksum" | "frame-truncated" | "protobuf-malformed",
    problem: string,
  ): RemoteReadError {
    const offset = this.#offset;
    return new RemoteReadError(code, `the frame at byte ${offset} of the body is bad: ${problem}`, { offset });
  }
}

/** How many bytes stand before a payload of this length. */
export function frameHeaderBytes(payloadBytes: number): number {
  return int64Bytes(payloadBytes) + CRC_BYTES;
}

/** Writes what stands before a payload into a frame that already holds it. */
export function writeFrameHeader(frame: Uint8Array, payloadBytes: number, crc: number): void {
  const lengthEnd = writeInt64(frame, 0, payloadBytes);
  new DataView(frame.buffer, frame.byteOffset).setUint32(lengthEnd, crc);
}

/** Bytes as text a person can read, undefined where they are not; `isPart` where the last character may be cut in two. */
function decodeText(bytes: Uint8Array, isPart: boolean): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isPart });
    return /\p{Cc}/u.test(text.replaceAll(/[\t\n\r]/g, "")) ? undefined : text;
  } catch {
    return undefined;
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
