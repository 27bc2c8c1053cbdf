/**
 * The body of an answer as the network hands it on: in packets of any size, up to the byte at which something goes wrong.
 *
 *     server    frame        │ frame  │ frame               │
 *     packets   ───┬──┬──────────┬──── ⨯ cut, reset, stalled, or another byte, or text and then the end
 */
import type { Dice } from "./dice.ts";
import type { Failure } from "./failure.ts";

/** What comes next. `broken` breaks off, `ended` looks like the end of the body but is none, and `short` nobody can tell from it. */
export type Step =
  | { readonly how: "bytes"; readonly bytes: Uint8Array; readonly failure?: Failure }
  | { readonly how: "whole" | "short" }
  | { readonly how: "stalled" | "broken" | "ended"; readonly failure: Failure };

export interface PacketsOptions {
  readonly dice: Dice;
  readonly packetBytesMax: number;
  readonly fault: Failure | undefined;
  readonly isStreamed: boolean;
  readonly framing: "length" | "chunked" | "none";
}

const TEXT = new TextEncoder().encode("querying the upstream failed: no such host\n");

export class Packets {
  /** Where each frame, or the one message of samples, that the server has handed out ends in the body. */
  readonly ends: number[] = [];
  /** How many bytes have been handed on as they are. */
  deliveredBytes = 0;
  /** Whether the server has nothing more to say. */
  isSourceOver = false;
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  readonly #options: PacketsOptions;
  readonly #faultAt: number;
  #sourceBytes = 0;
  #held = new Uint8Array(0);
  /** What went wrong with bytes that were handed on. */
  #failure: Failure | undefined = undefined;

  constructor(source: ReadableStreamDefaultReader<Uint8Array>, options: PacketsOptions) {
    const { dice } = options;
    this.#source = source;
    this.#options = options;
    this.#faultAt = dice.chance(0.1) ? 0 : Math.floor(dice.whole(0, 60) ** 2 * dice.timeMs(0, 1));
  }

  async next(): Promise<Step> {
    try {
      await this.#fill();
    } catch {
      return { how: "broken", failure: "server" };
    }
    const leftBytes = this.#faultAt - this.deliveredBytes;
    const isOver = this.isSourceOver && this.#held.length === 0;
    const step = isOver || leftBytes <= 0 ? this.#applyFault(isOver) : undefined;
    if (step !== undefined) {
      return step;
    }
    if (isOver) {
      return this.#failure === undefined ? { how: "whole" } : { how: "ended", failure: this.#failure };
    }
    const { dice, packetBytesMax } = this.#options;
    const wanted = dice.whole(1, packetBytesMax);
    return this.#take(leftBytes > 0 ? Math.min(wanted, leftBytes) : wanted);
  }

  /** Takes from the server what it has next, if nothing is left. */
  async #fill(): Promise<void> {
    if (this.#held.length > 0 || this.isSourceOver) {
      return;
    }
    const { value } = await this.#source.read();
    if (value === undefined) {
      this.isSourceOver = true;
      return;
    }
    this.#held = Uint8Array.from(value);
    this.#sourceBytes += value.length;
    this.ends.push(this.#sourceBytes);
  }

  /** What comes at the place of the fault; undefined where the body goes on. */
  #applyFault(isOver: boolean): Step | undefined {
    const { dice, fault, isStreamed } = this.#options;
    if (fault === "reset" || fault === "stall") {
      return { how: fault === "reset" ? "broken" : "stalled", failure: fault };
    }
    if (fault === "cut" && !isOver) {
      return this.#cut();
    }
    // Of samples nobody could tell that a byte is another one: they have no checksum.
    if (fault === "corrupt" && isStreamed && !isOver && this.#failure === undefined) {
      this.#failure = "corrupt";
      this.#held[0] = this.#held[0]! ^ dice.whole(1, 255);
    }
    if (fault === "text" && isStreamed) {
      if (this.#failure === "text") {
        return { how: "ended", failure: "text" };
      }
      this.#failure = "text";
      return { how: "bytes", bytes: TEXT, failure: "text" };
    }
    return undefined;
  }

  /** The body ends too early; with chunked coding it cannot end cleanly then. */
  #cut(): Step {
    const { framing, isStreamed } = this.#options;
    if (framing === "chunked") {
      return { how: "broken", failure: "cut" };
    }
    const isBetween = isStreamed && (this.deliveredBytes === 0 || this.ends.includes(this.deliveredBytes));
    return framing === "none" && isBetween ? { how: "short" } : { how: "ended", failure: "cut" };
  }

  #take(bytesMax: number): Step {
    const bytes = this.#held.slice(0, bytesMax);
    this.#held = this.#held.slice(bytesMax);
    if (this.#failure !== undefined) {
      return { how: "bytes", bytes, failure: this.#failure };
    }
    this.deliveredBytes += bytes.length;
    return { how: "bytes", bytes };
  }
}
