/** What went wrong, in a form that a program can ask for and that stays the same between versions. */
export type SpliceErrorCode =
  | "blocks-out-of-order"
  | "series-out-of-order"
  | "checkpoint-malformed"
  | "checkpoint-version"
  | "checkpoint-mismatch";

/**
 * Data from outside that breaks this package's contracts: a stream of blocks or series that steps back, or a checkpoint
 * that cannot be used. A caller's own mistake is a `TypeError` or `RangeError` instead.
 */
export class SpliceError extends Error {
  override readonly name = "SpliceError";
  readonly code: SpliceErrorCode;
  /** Index of the replica or source that is at fault, where one is. */
  readonly replica: number | undefined;

  constructor(
    code: SpliceErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly replica?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.replica = options.replica;
  }
}

/** A few words for an error message on what was given instead of what was wanted. */
export function describe(given: unknown): string {
  return given === null || typeof given !== "object" ? String(given) : (given.constructor?.name ?? "an object");
}
