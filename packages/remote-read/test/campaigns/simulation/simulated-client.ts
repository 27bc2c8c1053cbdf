/** A client of a simulated world: asks the spliced handler, reads the answer as fast as it does, and sometimes leaves. */
import { concatenate } from "../../bytes.ts";
import { requestBody, requestOf } from "../../read-exchange.ts";
import { fingerprint, type Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { ClientPlan } from "./client-plan.ts";

/** How its request ended; `aborted`: the body broke off. */
export type ClientEnd = "open" | "whole" | "aborted" | "left";

export class SimulatedClient {
  readonly plan: ClientPlan;
  end: ClientEnd = "open";
  askedMs = Infinity;
  /** When the head of the answer was there. */
  answeredMs = Infinity;
  endedMs = Infinity;
  status = 0;
  headers: Headers = new Headers();
  body: Uint8Array = new Uint8Array(0);
  /** Whether it has let the server wait for longer than that may. */
  hasStalled = false;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #stallMs: number;
  readonly #leave = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined = undefined;

  constructor(plan: ClientPlan, clock: VirtualClock, trace: Trace, stallMs: number) {
    this.plan = plan;
    this.#clock = clock;
    this.#trace = trace;
    this.#stallMs = stallMs;
  }

  async run(handler: (request: Request) => Promise<Response>): Promise<void> {
    const { atMs, queries, types, leavesAfterMs } = this.plan;
    await this.#clock.sleep(atMs);
    this.askedMs = this.#clock.nowMs;
    this.#trace.tell(this.plan.name, "asks");
    const leaving = leavesAfterMs === undefined ? undefined : this.#clock.set(() => this.#goAway(), leavesAfterMs);
    const request = requestOf(requestBody(queries, types), { signal: this.#leave.signal });
    const response = await handler(request);
    this.answeredMs = this.#clock.nowMs;
    this.status = response.status;
    this.headers = response.headers;
    if (this.end === "open") {
      this.#trace.tell(this.plan.name, `status ${response.status}`);
      await this.#read(response);
    }
    this.#clock.clear(leaving);
  }

  /** As a server notices it: by the signal of the request, or by cancelling the body. */
  #goAway(): void {
    this.#finish("left");
    if (this.plan.leavesBy === "body" && this.#reader !== undefined) {
      this.#reader.cancel().catch(() => {});
    } else {
      this.#leave.abort();
    }
  }

  async #read(response: Response): Promise<void> {
    const reader = response.body!.getReader();
    this.#reader = reader;
    const pieces: Uint8Array[] = [];
    try {
      for (;;) {
        await this.#pause();
        const { done, value } = await reader.read();
        if (this.end !== "open") {
          return;
        }
        if (done) {
          this.#finish("whole");
          return;
        }
        pieces.push(value);
        this.body = concatenate(...pieces);
        this.#trace.tell(this.plan.name, `${value.length} bytes ${fingerprint(value)}`);
      }
    } catch {
      if (this.end === "open") {
        this.#finish("aborted");
      }
    }
  }

  async #pause(): Promise<void> {
    const { pauseMs } = this.plan;
    if (pauseMs > 0) {
      await this.#clock.sleep(pauseMs);
      this.hasStalled ||= pauseMs > this.#stallMs;
    }
  }

  #finish(end: ClientEnd): void {
    this.end = end;
    this.endedMs = this.#clock.nowMs;
    this.#trace.tell(this.plan.name, end);
  }
}
