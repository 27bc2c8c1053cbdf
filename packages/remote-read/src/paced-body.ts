/**
 * A body that is made as fast as it is taken, and no faster:
 *
 *     client takes a piece ──▶ pull ──▶ the next piece is made, from reading on to encoding ──▶ clock starts
 *                                                                                               │ taken: clock stops
 *     client leaves ──▶ cancel ──▶ the reading is cancelled          client takes nothing ──────┘ over: body aborted
 *
 * Nothing is made ahead of a pull, so back-pressure reaches the replicas, and an error always meets a client that waits: a
 * server can then break the connection instead of ending it.
 */
import { RemoteReadError } from "./remote-read-error.ts";

/** How a body ended: whole, or early because the client left, or because something failed. */
type BodyEnd =
  | { readonly how: "whole" }
  | { readonly how: "left"; readonly reason: unknown }
  | { readonly how: "failed"; readonly reason: unknown };

export interface PacedBodyOptions {
  /** How long the client may wait with taking the next piece, in ms; 0 for ever. */
  readonly writeStallMs: number;
  /** Aborted when the client leaves: the body is then aborted too. */
  readonly signal: AbortSignal;
  /** Called once, before the client can see the end. What makes the pieces is then to be cancelled. */
  readonly onEnd: (end: BodyEnd) => void;
}

/** Longer pieces are cut: the clock is to run for a client that takes nothing, not for one that takes 48 MB slowly. */
const PIECE_BYTES_MAX = 64 * 1024;

/** Makes a body of `first` and the pieces that follow it, none of them empty. */
export function paceBody(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
  options: PacedBodyOptions,
): ReadableStream<Uint8Array> {
  return new ReadableStream(new PacedSource(first, rest, options), { highWaterMark: 0 });
}

type Clock = ReturnType<typeof setTimeout>;

/** The source of the stream, in the shape that it asks for. */
class PacedSource {
  readonly #rest: AsyncGenerator<Uint8Array, void, undefined>;
  readonly #options: PacedBodyOptions;
  readonly #onAbort = (): void => {
    // A server that has noticed too cancels the body in the same turn. That goes first: servers log errors of bodies.
    queueMicrotask(() => this.#abort({ how: "left", reason: this.#options.signal.reason }));
  };
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  #piece: Uint8Array;
  #at = 0;
  #clock: Clock | undefined = undefined;
  #isOver = false;

  constructor(first: Uint8Array, rest: AsyncGenerator<Uint8Array, void, undefined>, options: PacedBodyOptions) {
    this.#piece = first;
    this.#rest = rest;
    this.#options = options;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    const { signal } = this.#options;
    if (signal.aborted) {
      this.#onAbort();
      return;
    }
    signal.addEventListener("abort", this.#onAbort);
    this.#startClock();
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    clearTimeout(this.#clock);
    try {
      if (this.#at === this.#piece.length) {
        const { done, value } = await this.#rest.next();
        if (this.#isOver) {
          return;
        }
        if (done === true) {
          this.#end({ how: "whole" });
          controller.close();
          return;
        }
        this.#piece = value;
        this.#at = 0;
      }
      const end = Math.min(this.#at + PIECE_BYTES_MAX, this.#piece.length);
      controller.enqueue(this.#piece.subarray(this.#at, end));
      this.#at = end;
      this.#startClock();
    } catch (error) {
      this.#abort({ how: "failed", reason: error });
    }
  }

  cancel(reason: unknown): void {
    this.#end({ how: "left", reason });
  }

  #startClock(): void {
    const { writeStallMs } = this.#options;
    if (writeStallMs > 0) {
      this.#clock = setTimeout(() => {
        const reason = new RemoteReadError("timeout", `the client took nothing for ${writeStallMs} ms`);
        this.#abort({ how: "failed", reason });
      }, writeStallMs);
    }
  }

  #abort(end: Exclude<BodyEnd, { readonly how: "whole" }>): void {
    if (!this.#isOver) {
      this.#end(end);
      this.#controller?.error(end.reason);
    }
  }

  #end(end: BodyEnd): void {
    if (!this.#isOver) {
      this.#isOver = true;
      clearTimeout(this.#clock);
      this.#options.signal.removeEventListener("abort", this.#onAbort);
      this.#piece = new Uint8Array(0);
      this.#options.onEnd(end);
    }
  }
}
