/** What can go wrong between us and a remote read server or client, as one error class with stable codes. */

/** What went wrong, in a form that a program can ask for and that stays the same between versions. */
export type RemoteReadErrorCode =
  /** The server answered with a status other than 2xx; the message holds what it said. */
  | "http-status"
  /** The answer is of a content type that is neither of the two that the protocol knows. */
  | "content-type"
  /** A time limit passed: to the first byte, between two reads, or for the whole answer. */
  | "timeout"
  /** The caller's signal cancelled the read. */
  | "aborted"
  /** There was no answer: the name is unknown, the connection refused, or TLS failed. */
  | "connection-failed"
  /** The connection ended before the body did. */
  | "body-truncated"
  /** A frame says that it is longer than the limit. */
  | "frame-too-large"
  /** The checksum of a frame is not that of its bytes. */
  | "frame-checksum"
  /** The body ended inside a frame. */
  | "frame-truncated"
  /** The server failed in mid-answer and wrote its error message into the stream: the message is that text. */
  | "remote-error-text"
  /** Bytes are not a block of snappy. */
  | "snappy-corrupt"
  /** Bytes are not the protobuf message that was expected. */
  | "protobuf-malformed"
  /** A label set breaks the rules: an empty or a doubled name, or text that is not UTF-8. */
  | "labels-malformed"
  /** A chunk's bytes do not decode, or are not what the message around them claims. */
  | "chunk-malformed"
  /** A chunk is of an encoding, or a sample of a kind, that this version cannot decode. */
  | "chunk-type-unsupported"
  /** A server's answer is not in the order that it must be in. */
  | "series-out-of-order"
  /** Something is over a limit that the caller or a default sets. */
  | "limit-exceeded"
  /** A query selects by nothing but replica labels, which a spliced series does not have. */
  | "matchers-missing"
  /** No replica gave a complete answer. */
  | "all-replicas-failed";

export interface RemoteReadErrorOptions {
  readonly cause?: unknown;
  readonly replica?: string | undefined;
  readonly offset?: number | undefined;
  readonly series?: string | undefined;
}

/**
 * Bad bytes or a bad peer. The message says what was got and what was expected. A caller's own mistake is a `TypeError` or
 * `RangeError` instead.
 */
export class RemoteReadError extends Error {
  override readonly name = "RemoteReadError";
  readonly code: RemoteReadErrorCode;
  /** Name of the replica that is at fault, where one is known. */
  readonly replica: string | undefined;
  /** Where in the message, or for frames in the body, the fault is; in bytes from its start. */
  readonly offset: number | undefined;
  /** The label set of the series that is at fault, formatted. */
  readonly series: string | undefined;

  constructor(code: RemoteReadErrorCode, message: string, options: RemoteReadErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.replica = options.replica;
    this.offset = options.offset;
    this.series = options.series;
  }
}
