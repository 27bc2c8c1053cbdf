/**
 * The body of an answer, piece by piece, and whether it came to its end.
 *
 *     read() ──▶ idle clock starts ──▶ a piece: clock stops          no clock runs while nobody reads
 *                                  └─▶ the end: as many bytes as Content-Length says?
 *
 * Only the transport knows whether a body that ends between two frames was cut. Node's `fetch` rejects a short
 * Content-Length, an unfinished chunked coding and a reset by itself; the length is counted here once more, for those that
 * do not. An answer with neither header ends when the connection does, and nothing can be known.
 */
import { RemoteReadError } from "./remote-read-error.ts";

export interface HttpBodyOptions {
  /** Aborted to end the read at any point, with a RemoteReadError as its reason; the clock aborts it too. */
  readonly controller: AbortController;
  /** How long one read may take, in ms; 0 for ever. */
  readonly idleMs: number;
  /** Told how long each piece is. */
  readonly onBytes: (bytes: number) => void;
}

/** To be closed when it is of no more use, whether it has come to its end or not. */
export class HttpBody {
  /** True where the transport cannot tell whether the whole body has arrived. */
  readonly isUnverifiable: boolean;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #options: HttpBodyOptions;
  readonly #bytesWanted: number | undefined;
  #bytes = 0;
  readonly #cancel = (): void => {
    this.#reader?.cancel().catch(() => {});
  };

  constructor(response: Response, options: HttpBodyOptions) {
    const { body, headers } = response;
    this.#reader = body?.getReader();
    this.#options = options;
    this.#bytesWanted = readContentLength(headers);
    const isChunked = /\bchunked\b/i.test(headers.get("Transfer-Encoding") ?? "");
    this.isUnverifiable = body !== null && !isChunked && headers.get("Content-Length") === null;
    options.controller.signal.addEventListener("abort", this.#cancel);
  }

  /**
   * The next piece, which is the caller's; undefined at the end.
   *
   * @throws RemoteReadError `body-truncated`; `timeout`; the signal's reason.
   */
  async read(): Promise<Uint8Array | undefined> {
    const { controller, idleMs } = this.#options;
    controller.signal.throwIfAborted();
    const piece = await withDeadline(controller, idleMs, `nothing arrived for ${idleMs} ms (idle)`, async () => {
      try {
        return await this.#reader?.read();
      } catch (error) {
        throw transportError("body-truncated", `the connection ended after ${this.#bytes} bytes of the body`, error);
      }
    });
    if (piece?.value !== undefined) {
      this.#bytes += piece.value.length;
      this.#options.onBytes(piece.value.length);
      return piece.value;
    }
    if (this.#bytesWanted !== undefined && this.#bytes < this.#bytesWanted) {
      throw new RemoteReadError("body-truncated", `the body is ${this.#bytes} bytes, expected ${this.#bytesWanted}`);
    }
    return undefined;
  }

  close(): void {
    this.#options.controller.signal.removeEventListener("abort", this.#cancel);
    this.#cancel();
  }
}

/**
 * Runs one operation under a clock, which aborts the controller. An operation that fails, or ends, because of that or of any
 * other abort fails with the reason.
 *
 * @param limitMs 0 for no clock.
 */
export async function withDeadline<T>(
  controller: AbortController,
  limitMs: number,
  problem: string,
  operation: () => Promise<T>,
): Promise<T> {
  const clock = startClock(controller, limitMs, problem);
  try {
    const result = await operation();
    controller.signal.throwIfAborted();
    return result;
  } catch (error) {
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(clock);
  }
}

/** Starts a clock that aborts the controller with `timeout`; none where the limit is 0. To be cleared by the caller. */
export function startClock(
  controller: AbortController,
  limitMs: number,
  problem: string,
): ReturnType<typeof setTimeout> | undefined {
  if (limitMs === 0) {
    return undefined;
  }
  return setTimeout(() => controller.abort(new RemoteReadError("timeout", problem)), limitMs);
}

/** What `fetch` or a body says went wrong, as one of our errors: the reason stands in its causes. */
export function transportError(
  code: "connection-failed" | "body-truncated",
  problem: string,
  error: unknown,
): RemoteReadError {
  const causes = causesOf(error);
  // Clocks of Node's own, which run out where ours are set to longer ones.
  const isTimeout = causes.some((cause) => /^UND_ERR_.*_TIMEOUT$/.test(cause.code));
  const reason = causes.findLast(({ message }) => message !== "")?.message ?? causes.at(-1)?.code ?? String(error);
  return new RemoteReadError(isTimeout ? "timeout" : code, `${problem}: ${reason}`, { cause: error });
}

function causesOf(error: unknown): { readonly message: string; readonly code: string }[] {
  const causes: { readonly message: string; readonly code: string }[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 8; cause = cause.cause) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
    // Of a name with several addresses, all of which were tried, only the code is told.
    causes.push({ message: cause.message === "" ? code : cause.message, code });
  }
  return causes;
}

/** The length that the body must have as it arrives here; undefined where it is not known, or is that of compressed bytes. */
function readContentLength(headers: Headers): number | undefined {
  const length = headers.get("Content-Length") ?? "";
  const isDecompressed = /\b(?:gzip|x-gzip|deflate|br|zstd)\b/i.test(headers.get("Content-Encoding") ?? "");
  return /^\d+$/.test(length) && !isDecompressed ? Number(length) : undefined;
}
