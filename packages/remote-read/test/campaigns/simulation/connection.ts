/**
 * One request to a replica over the simulated network, and what becomes of it:
 *
 *     fetch ──▶ latency ──▶ the server's answer ──▶ packets of any size, each after a while ──▶ the end
 *         └── refused, never answered, a status           └── cut, reset, stalled, a byte changed, text behind the frames
 *
 * It writes down what was handed over and what went wrong, which is all that the oracle goes by.
 */
import { Dice } from "./dice.ts";
import type { ReplicaServer, SentFrame } from "./replica-server.ts";
import { fingerprint, type Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { ReplicaPlan } from "./world.ts";

const FAULTS = ["refuse", "silence", "status", "cut", "cut", "reset", "stall", "corrupt", "text", "slow"] as const;

/** Why an answer was none, or none that is whole: one of those that were drawn, or what the world came to. */
export type Failure = (typeof FAULTS)[number] | "restart" | "down" | "server";

/** `short` ended cleanly between two frames, too early, over a transport that cannot tell. */
export type ConnectionState = "open" | "whole" | "short" | "failed" | "cancelled";

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
  state: ConnectionState = "open";
  failure: Failure | undefined = undefined;
  /** Whether the head of an answer has come that is one. */
  hasAnswered = false;
  isStreamed = false;
  frames: readonly SentFrame[] = [];
  /** Where each frame, or the one message of samples, that the server has handed out ends in the body. */
  readonly ends: number[] = [];
  /** How many bytes of the body were handed over as they are. */
  deliveredBytes = 0;
  openedMs: number;
  endedMs = Infinity;
  /** Since when the reader waits for something. */
  waitingMs: number;
  readonly #options: ConnectionOptions;
  readonly #dice: Dice;
  readonly #fault: Failure | undefined;
  readonly #faultAt: number;
  readonly #server = new AbortController();
  #source: ReadableStreamDefaultReader<Uint8Array> | undefined = undefined;
  #sourceBytes = 0;
  #isSourceOver = false;
  /** What the server has handed out and the network still holds. */
  #held = new Uint8Array(0);
  #timer: number | undefined = undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  /** Ends what the reader waits for with an error. */
  #reject: (error: unknown) => void = () => {};

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#dice = new Dice(options.seed, options.id);
    this.#fault = this.#dice.chance(options.plan.faults) ? this.#dice.pick(FAULTS) : undefined;
    this.#faultAt = this.#dice.chance(0.1) ? 0 : Math.floor(this.#dice.whole(0, 60) ** 2 * this.#dice.timeMs(0, 1));
    this.openedMs = options.clock.nowMs;
    this.waitingMs = this.openedMs;
  }

  async open(): Promise<Response> {
    const { body, plan, signal } = this.#options;
    this.#tell("asked");
    signal.throwIfAborted();
    signal.addEventListener("abort", () => this.#cancel(signal.reason), { once: true });
    await this.#wait(this.#dice.timeMs(0, plan.latencyMs));
    const server = this.#options.server();
    if (server === undefined || this.#fault === "refuse") {
      const code = "ECONNREFUSED";
      throw this.#fail(server === undefined ? "down" : "refuse", Object.assign(new Error(`connect ${code}`), { code }));
    }
    if (this.#fault === "silence") {
      this.#note("silence");
      await this.#wait(Infinity);
    }
    if (this.#fault === "status") {
      return this.#answerStatus(this.#dice.pick([500, 502, 503, 429, 404]));
    }
    const { response, isStreamed, frames } = await this.#orBroken(server.answer(body, this.#server.signal));
    this.#source = response.body?.getReader();
    if (response.status !== 200) {
      void this.#source?.cancel();
      return this.#answerStatus(response.status);
    }
    this.isStreamed = isStreamed;
    this.frames = frames;
    await this.#wait(this.#dice.timeMs(0, plan.latencyMs));
    this.hasAnswered = true;
    this.#tell("200");
    return new Response(this.#makeBody(), { headers: this.#makeHeaders(response) });
  }

  /** The server is gone, and with it all connections to it. */
  break(): void {
    if (this.state === "open") {
      const error = this.#fail("restart", new Error("other side closed"));
      this.#reject(error);
      this.#controller?.error(error);
    }
  }

  #makeHeaders(response: Response): Headers {
    const headers = new Headers({ "Content-Type": response.headers.get("Content-Type")! });
    const length = response.headers.get("Content-Length");
    if (this.#framing === "length") {
      headers.set("Content-Length", length!);
    } else if (this.#framing === "chunked") {
      headers.set("Transfer-Encoding", "chunked");
    }
    return headers;
  }

  /** Handlers of ours do not know how long a body will be. */
  get #framing(): ReplicaPlan["framing"] {
    const { framing, server } = this.#options.plan;
    return framing === "length" && (server === "handler" || this.#fault === "text") ? "chunked" : framing;
  }

  /** Whether the reader can know that it cannot know of an end that comes too early. */
  get isUnverifiable(): boolean {
    return this.#framing === "none";
  }

  #makeBody(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: async (controller) => {
          this.waitingMs = this.#options.clock.nowMs;
          await this.#wait(this.#packetMs());
          const packet = await this.#orBroken(this.#nextPacket());
          if (packet === undefined) {
            controller.close();
          } else {
            controller.enqueue(packet);
          }
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

  /** The next bytes for the reader; undefined at the end, and an error where the connection breaks. */
  async #nextPacket(): Promise<Uint8Array | undefined> {
    await this.#fill();
    const isHere = this.#isSourceOver || this.deliveredBytes + this.#held.length > this.#faultAt;
    const leftBytes = this.#faultAt - this.deliveredBytes;
    const isDue = isHere && (leftBytes <= 0 || this.#held.length === 0);
    const fault = isDue ? await this.#applyFault() : undefined;
    if (fault !== undefined) {
      return fault === "end" ? undefined : fault;
    }
    if (this.#held.length === 0) {
      this.#end(this.failure === undefined ? "whole" : "failed", this.failure);
      return undefined;
    }
    const wanted = this.#dice.whole(1, this.#options.plan.packetBytesMax);
    const bytes = isHere && leftBytes > 0 ? Math.min(wanted, leftBytes) : wanted;
    return this.#take(bytes);
  }

  /** Takes from the server what it has next, if the network holds nothing more. */
  async #fill(): Promise<void> {
    if (this.#held.length > 0 || this.#isSourceOver) {
      return;
    }
    let piece: Uint8Array | undefined;
    try {
      piece = (await this.#source?.read())?.value;
    } catch {
      throw this.#fail("server", new Error("other side closed"));
    }
    if (piece === undefined) {
      this.#isSourceOver = true;
      return;
    }
    this.#held = Uint8Array.from(piece);
    this.#sourceBytes += this.#held.length;
    this.ends.push(this.#sourceBytes);
  }

  /** What comes at the place of the fault, if anything does; else the body goes on. */
  async #applyFault(): Promise<Uint8Array | "end" | undefined> {
    const isOver = this.#isSourceOver && this.#held.length === 0;
    if (this.#fault === "reset") {
      throw this.#fail("reset", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
    }
    if (this.#fault === "stall") {
      this.#note("stall");
      await this.#wait(Infinity);
    }
    if (this.#fault === "cut" && !isOver) {
      return this.#cut();
    }
    // Of samples nobody could tell that a byte is another one: they have no checksum.
    if (this.#fault === "corrupt" && this.isStreamed && !isOver && this.failure === undefined) {
      this.#note("corrupt");
      this.#held[0] = this.#held[0]! ^ this.#dice.whole(1, 255);
    }
    if (this.#fault === "text" && this.isStreamed) {
      if (this.failure === "text") {
        this.#end("failed", "text");
        return "end";
      }
      this.#note("text");
      return new TextEncoder().encode("querying the upstream failed: no such host\n");
    }
    return undefined;
  }

  /** The body ends too early; a connection with chunked coding cannot end cleanly then. */
  #cut(): "end" {
    if (this.#framing === "chunked") {
      throw this.#fail("cut", new Error("terminated"));
    }
    const isBetween = this.isStreamed && (this.deliveredBytes === 0 || this.ends.includes(this.deliveredBytes));
    const isShort = this.#framing === "none" && isBetween;
    this.#end(isShort ? "short" : "failed", "cut");
    return "end";
  }

  #take(bytes: number): Uint8Array {
    const packet = this.#held.slice(0, bytes);
    this.#held = this.#held.slice(bytes);
    this.deliveredBytes += this.failure === undefined ? packet.length : 0;
    this.#tell(`${packet.length} bytes ${fingerprint(packet)}`);
    return packet;
  }

  #answerStatus(status: number): Response {
    this.#end("failed", "status");
    this.#tell(`status ${status}`);
    return new Response("no\n", { status, headers: { "Content-Type": "text/plain" } });
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

  /** What is wrong from now on, though the connection goes on. */
  #note(failure: Failure): void {
    this.failure = failure;
    this.#tell(failure);
  }

  #fail(failure: Failure, cause: Error): TypeError {
    this.#end("failed", failure);
    return new TypeError("fetch failed", { cause });
  }

  #cancel(reason: unknown): void {
    if (this.state === "open") {
      this.#end(this.failure === undefined ? "cancelled" : "failed", this.failure);
      this.#reject(reason);
    }
  }

  #end(state: ConnectionState, failure: Failure | undefined): void {
    this.state = state;
    this.failure = failure ?? this.failure;
    this.endedMs = this.#options.clock.nowMs;
    this.#options.clock.clear(this.#timer);
    if (!this.#isSourceOver) {
      this.#server.abort();
      this.#source?.cancel().catch(() => {});
    }
    this.#tell(`${state}${failure === undefined ? "" : `, ${failure}`}`);
  }

  #tell(what: string): void {
    this.#options.trace.tell(this.#options.id, what);
  }
}
