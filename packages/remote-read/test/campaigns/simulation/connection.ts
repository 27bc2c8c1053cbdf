/**
 * One request to a replica over the simulated network, and what becomes of it:
 *
 *     fetch ──▶ latency ──▶ the server's answer ──▶ packets, each after a while ──▶ the end
 *         └── refused, never answered, a status           └── broken off, stalled, …: see packets.ts
 *
 * It writes down what was handed over and what went wrong, which is all that the oracle goes by.
 */
import { Dice } from "./dice.ts";
import { type Failure, FAULTS } from "./failure.ts";
import { Packets } from "./packets.ts";
import type { ReplicaPlan } from "./replica-plan.ts";
import type { ReplicaServer, SentFrame } from "./replica-server.ts";
import { fingerprint, type Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** `short` ended cleanly between two frames, too early, over a transport that cannot tell. */
type ConnectionState = "open" | "whole" | "short" | "failed" | "cancelled";

export interface ConnectionOptions {
  readonly id: string;
  readonly plan: ReplicaPlan;
  readonly clock: VirtualClock;
  readonly trace: Trace;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly body: Uint8Array;
  /** The server as it is when it is asked; undefined while it is down. */
  readonly server: () => ReplicaServer | undefined;
}

export class Connection {
  readonly openedMs: number;
  state: ConnectionState = "open";
  failure: Failure | undefined = undefined;
  /** When the head of an answer came that is one. */
  answeredMs = Infinity;
  /** Of another answer. */
  status: number | undefined = undefined;
  isStreamed = false;
  frames: readonly SentFrame[] = [];
  endedMs = Infinity;
  /** Since when the reader waits for something. */
  waitingMs: number;
  readonly #options: ConnectionOptions;
  readonly #dice: Dice;
  readonly #fault: Failure | undefined;
  readonly #server = new AbortController();
  #source: ReadableStreamDefaultReader<Uint8Array> | undefined = undefined;
  #packets: Packets | undefined = undefined;
  #timer: number | undefined = undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  /** Ends what is waited for with an error. */
  #reject: (error: unknown) => void = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#dice = new Dice(options.seed, options.id);
    this.#fault = this.#dice.chance(options.plan.faults) ? this.#dice.pick(FAULTS) : undefined;
    this.openedMs = options.clock.nowMs;
    this.waitingMs = this.openedMs;
  }

  /** Where each frame, or the one message of samples, that the server has handed out ends in the body. */
  get ends(): readonly number[] {
    return this.#packets?.ends ?? [];
  }

  /** How many bytes of the body were handed over as they are. */
  get deliveredBytes(): number {
    return this.#packets?.deliveredBytes ?? 0;
  }

  get hasAnswered(): boolean {
    return this.answeredMs < Infinity;
  }

  /** Whether an end that comes too early cannot be told from the right one. */
  get isUnverifiable(): boolean {
    return this.#framing === "none";
  }

  /** What `fetch` answers. */
  async open(): Promise<Response> {
    const { body, plan, signal } = this.#options;
    this.#tell("asked");
    signal.throwIfAborted();
    signal.addEventListener("abort", () => this.#cancel(signal.reason), { once: true });
    await this.#wait(this.#dice.timeMs(0, plan.latencyMs));
    const server = this.#options.server();
    if (server === undefined || this.#fault === "refuse") {
      throw this.#fail(server === undefined ? "down" : "refuse");
    }
    if (this.#fault === "silence") {
      await this.#waitForEver("silence");
    }
    if (this.#fault === "status") {
      return this.#answerStatus(this.#dice.pick([500, 502, 503, 429, 404]));
    }
    const { response, isStreamed, frames } = await this.#orBroken(server.answer(body, this.#server.signal));
    this.#source = response.body!.getReader();
    if (response.status !== 200) {
      return this.#answerStatus(response.status);
    }
    this.isStreamed = isStreamed;
    this.frames = frames;
    await this.#wait(this.#dice.timeMs(0, plan.latencyMs));
    this.answeredMs = this.#options.clock.nowMs;
    this.#tell("200");
    const { packetBytesMax } = plan;
    const [dice, fault, framing] = [this.#dice, this.#fault, this.#framing];
    this.#packets = new Packets(this.#source, { dice, packetBytesMax, fault, isStreamed, framing });
    return new Response(this.#makeBody(this.#packets), { headers: this.#makeHeaders(response) });
  }

  /** The server is gone, and with it all connections to it. */
  break(): void {
    if (this.state === "open") {
      const error = this.#fail("restart");
      this.#reject(error);
      this.#controller?.error(error);
    }
  }

  /** How the end of the body can be told: handlers of ours do not know how long it will be. */
  get #framing(): ReplicaPlan["framing"] {
    const { framing, server } = this.#options.plan;
    return framing === "length" && (server === "handler" || this.#fault === "text") ? "chunked" : framing;
  }

  #makeHeaders({ headers }: Response): Headers {
    const made = new Headers({ "Content-Type": headers.get("Content-Type")! });
    if (this.#framing === "length") {
      made.set("Content-Length", headers.get("Content-Length")!);
    } else if (this.#framing === "chunked") {
      made.set("Transfer-Encoding", "chunked");
    }
    return made;
  }

  #makeBody(packets: Packets): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: async (controller) => {
          this.waitingMs = this.#options.clock.nowMs;
          await this.#wait(this.#packetMs());
          await this.#handOn(packets, controller);
        },
        cancel: (reason) => this.#cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  #packetMs(): number {
    return this.#fault === "slow"
      ? this.#dice.timeMs(100, 2400)
      : this.#dice.timeMs(0, this.#options.plan.latencyMs / 4);
  }

  async #handOn(packets: Packets, controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const step = await this.#orBroken(packets.next());
    if (step.how === "bytes") {
      this.failure = step.failure;
      this.#tell(`${step.bytes.length} bytes ${fingerprint(step.bytes)}${step.failure ?? ""}`);
      controller.enqueue(step.bytes);
    } else if (!("failure" in step)) {
      this.#end(step.how);
      controller.close();
    } else if (step.how === "ended") {
      this.#end("failed", step.failure);
      controller.close();
    } else if (step.how === "broken") {
      throw this.#fail(step.failure);
    } else {
      await this.#waitForEver(step.failure);
    }
  }

  #answerStatus(status: number): Response {
    this.status = status;
    this.#end("failed", "status");
    this.#tell(`status ${status}`);
    return new Response("no\n", { status, headers: { "Content-Type": "text/plain" } });
  }

  async #waitForEver(failure: Failure): Promise<void> {
    this.failure = failure;
    this.#tell(failure);
    await this.#wait(Infinity);
  }

  /** Waits; cut short when the connection breaks or is cancelled. */
  #wait(delayMs: number): Promise<void> {
    return this.#orBroken(
      new Promise((resolve) => {
        if (delayMs < Infinity) {
          this.#timer = this.#options.clock.set(resolve, delayMs);
        }
      }),
    );
  }

  #orBroken<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      work.then(resolve, reject);
    });
  }

  /** The error, as `fetch` has it. */
  #fail(failure: Failure): TypeError {
    this.#end("failed", failure);
    return new TypeError("fetch failed", { cause: new Error(failure) });
  }

  #cancel(reason: unknown): void {
    if (this.state === "open") {
      this.#end(this.failure === undefined ? "cancelled" : "failed", this.failure);
      this.#reject(reason);
    }
  }

  #end(state: ConnectionState, failure?: Failure): void {
    const { clock } = this.#options;
    this.state = state;
    this.failure = failure;
    this.endedMs = clock.nowMs;
    clock.clear(this.#timer);
    if (this.#packets?.isSourceOver !== true) {
      this.#server.abort();
      this.#source?.cancel().catch(() => {});
    }
    this.#tell(failure === undefined ? state : `${state}, ${failure}`);
  }

  #tell(what: string): void {
    this.#options.trace.tell(this.#options.id, what);
  }
}
