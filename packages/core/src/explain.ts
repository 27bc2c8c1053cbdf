/**
 * `explainer`: which replica is shown from when to when, and why, gathered from the runs while they are handed out.
 *
 *     const why = explainer();
 *     dedup(replicas, penalty(), { explain: why });
 *     why.spans    [{ replica: 0, firstMs: 0, lastMs: 45000, samples: 4, reason: { kind: "first" } },
 *                   { replica: 1, firstMs: 92000, lastMs: 137000, samples: 4, reason: { kind: "penalty", gapMs: 75000, … } }]
 */
import { describeReason, type Reason } from "./reason.ts";
import type { Run } from "./run.ts";
import type { Piece, Source, LeftOut } from "./source.ts";
import { describe } from "./splice-error.ts";

/** Neighbouring samples of the spliced series that one replica supplies, and why it was chosen where they begin. */
export interface Span {
  readonly replica: number;
  /** Times of the first and the last sample, in ms. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
  readonly reason: Reason;
}

export interface ExplainerOptions {
  /** How many spans are kept; those after them are only counted. 10,000 by default. */
  readonly spansMax?: number;
}

const SPANS_MAX = 10_000;
const NOTHING: LeftOut = { samplesLeftOut: 0, falseResets: 0, gapsUnknown: 0 };

/**
 * Makes a collector to be given to a splice as `explain`. Read it at any time: it then tells what has been handed out so
 * far. Given to one splice after the other it collects them all, one after the other.
 *
 * It costs a few nanoseconds a run and an object a span, and decodes nothing that was not decoded.
 *
 * @throws TypeError or RangeError if `spansMax` is not a whole number from 0 on.
 */
export function explainer(options: ExplainerOptions = {}): Explainer {
  const spansMax = options.spansMax ?? SPANS_MAX;
  if (typeof spansMax !== "number") {
    throw new TypeError(`explainer: spansMax must be a number, got ${describe(spansMax)}`);
  }
  if (!(Number.isInteger(spansMax) && spansMax >= 0)) {
    throw new RangeError(`explainer: spansMax must be a whole number from 0 on, got ${spansMax}`);
  }
  return new Explainer(spansMax);
}

/** See {@link explainer}. */
export class Explainer {
  /** The first spans, in time order. */
  readonly spans: readonly Span[];
  /** How many spans there were after them. */
  spansLeftOut: number = 0;
  readonly #spans: { -readonly [Field in keyof Span]: Span[Field] }[] = [];
  readonly #spansMax: number;
  /** The replica of the last run, −1 before the first one of a splice. */
  #replica = -1;
  #isResumed = false;
  #source: Source | undefined = undefined;
  /** Of the splices before. */
  #before: LeftOut = NOTHING;

  /** @internal */
  constructor(spansMax: number) {
    this.spans = this.#spans;
    this.#spansMax = spansMax;
  }

  /**
   * A splice begins.
   *
   * @internal
   */
  begin(isResumed: boolean, source: Source | undefined): void {
    this.#before = this.leftOut;
    this.#source = source;
    this.#replica = -1;
    this.#isResumed = isResumed;
  }

  /**
   * The splice has come to its end: what it read need not be kept any more.
   *
   * @internal
   */
  end(): void {
    this.#before = this.leftOut;
    this.#source = undefined;
  }

  /** What was left out, and what could not be; zeros but for `fill`. */
  get leftOut(): LeftOut {
    const notes = this.#source?.notes?.() ?? NOTHING;
    return {
      samplesLeftOut: this.#before.samplesLeftOut + notes.samplesLeftOut,
      falseResets: this.#before.falseResets + notes.falseResets,
      gapsUnknown: this.#before.gapsUnknown + notes.gapsUnknown,
    };
  }

  /**
   * Takes a run that is handed out, and the first piece of it, which has the reason.
   *
   * @internal
   */
  add({ replica, block, start, end }: Run, piece: Piece): void {
    const isSame = replica === this.#replica;
    if (isSame && this.spansLeftOut > 0) {
      return;
    }
    const lastMs = end === block.count ? block.lastMs : block.timestamps()[end - 1]!;
    if (isSame) {
      const span = this.#spans.at(-1)!;
      span.lastMs = lastMs;
      span.samples += end - start;
      return;
    }
    const isFirst = this.#replica === -1;
    this.#replica = replica;
    if (this.#spans.length === this.#spansMax) {
      this.spansLeftOut++;
      return;
    }
    const firstMs = start === 0 ? block.firstMs : block.timestamps()[start]!;
    const reason: Reason = isFirst
      ? { kind: this.#isResumed ? "resumed" : "first" }
      : (describeReason(piece) ?? { kind: "lane" });
    this.#spans.push({ replica, firstMs, lastMs, samples: end - start, reason });
  }
}
