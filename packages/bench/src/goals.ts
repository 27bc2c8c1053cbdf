/** What is to be reached, as ratios between cases: the table of goals, and how a measurement is held against it. */
import { SHAPES, type Shape, WHOLE_SHAPES } from "./fixtures.ts";
import { REFERENCE_LOOPS } from "./reference-loops.ts";

/** One line of the table of ratios. */
export interface Ratio {
  readonly what: string;
  readonly against: string;
  readonly measured: number;
  readonly unit: "times faster" | "times its time" | "times as much" | "bytes" | "blocks" | "KiB" | Speed;
  /** The least (of speeds) or the most (of the others) that is wanted; undefined where the number is only good to know. */
  readonly limit?: number;
}

/** What there is of in a second. */
export type Speed = "GB/s" | "M samples/s";

/** Times in ns an input, by the name of the case. */
export type Times = ReadonlyMap<string, number>;

const COPY_LIMITS: Readonly<Record<Shape, number | undefined>> = { whole: 3, jitter: 3, gap: 5, missed: undefined };
const LOOP_LIMITS: Readonly<Record<Shape, number | undefined>> = { whole: 2.5, jitter: 2.5, gap: undefined, missed: 1 };
const BLOCKS_LIMIT = 2;
const COLLECTED_LIMIT = 1.25;

/** What the compared cases' times say; shapes without a goal of their own are listed without a limit. */
export function makeRatios(times: Times): Ratio[] {
  const bestLoop = (shape: Shape): number =>
    Math.min(...REFERENCE_LOOPS.map((_, index) => timeOf(times, `loop ${index + 1}, ${shape}`)));
  const ofShape = (name: string, shape: Shape): number => timeOf(times, `${name}, ${shape}`);
  return [
    ...SHAPES.map((shape) =>
      faster(
        `dedup, ${shape}`,
        "the best step-by-step loop",
        bestLoop(shape) / ofShape("dedup", shape),
        LOOP_LIMITS[shape],
      ),
    ),
    ...SHAPES.map((shape) =>
      faster(
        `dedup, ${shape}`,
        "a loop into fresh columns, as dedup's are",
        ofShape("loop into fresh columns", shape) / ofShape("dedup", shape),
      ),
    ),
    ...SHAPES.map((shape) =>
      slower(
        `dedup, ${shape}`,
        "copying the input",
        ofShape("dedup", shape) / ofShape("copy", shape),
        COPY_LIMITS[shape],
      ),
    ),
    ...SHAPES.map((shape) =>
      faster(`splice, ${shape}`, "the best step-by-step loop", bestLoop(shape) / ofShape("splice", shape)),
    ),
    ...SHAPES.map((shape) =>
      slower(
        `splice in blocks of 120, ${shape}`,
        "one block",
        ofShape("splice of blocks", shape) / ofShape("splice", shape),
        WHOLE_SHAPES.includes(shape) ? BLOCKS_LIMIT : undefined,
      ),
    ),
    ...(["explained", "covered", "surveyed"] as const).flatMap((how) =>
      SHAPES.map((shape) =>
        slower(
          `dedup, ${how}, ${shape}`,
          "dedup",
          ofShape(`dedup ${how}`, shape) / ofShape("dedup", shape),
          how === "surveyed" ? undefined : COLLECTED_LIMIT,
        ),
      ),
    ),
    ...["dedup", "splice"].flatMap((name) =>
      (["jitter", "gap", "missed"] as const).flatMap((shape) =>
        [3, 5].map((count) =>
          slower(
            `${name} of ${count} replicas, ${shape}`,
            "of two",
            (count * ofShape(`${name} of ${count}`, shape)) / (2 * ofShape(name, shape)),
            count / 2,
          ),
        ),
      ),
    ),
    ...SHAPES.map((shape) =>
      faster(
        `dedup with counter, ${shape}`,
        "one step-by-step loop",
        ofShape("counter loop", shape) / ofShape("counter dedup", shape),
      ),
    ),
    ...(["jitter", "gap", "missed"] as const).map((shape) =>
      slower(
        `splice of 3 replicas with counter, ${shape}`,
        "without",
        ofShape("counter splice of 3", shape) / ofShape("splice of 3", shape),
      ),
    ),
  ];
}

export function faster(what: string, against: string, measured: number, limit?: number): Ratio {
  return { what, against, measured, unit: "times faster", ...(limit === undefined ? {} : { limit }) };
}

/** A speed, which is measured against nothing. */
export function atLeast(unit: Speed, what: string, measured: number, limit?: number): Ratio {
  return { what, against: "–", measured, unit, ...(limit === undefined ? {} : { limit }) };
}

export function slower(what: string, against: string, measured: number, limit?: number): Ratio {
  return { what, against, measured, unit: "times its time", ...(limit === undefined ? {} : { limit }) };
}

/** Whether a ratio is what it should be; undefined where it should be nothing in particular. */
export function isReached({ unit, measured, limit }: Ratio): boolean | undefined {
  if (limit === undefined) {
    return undefined;
  }
  return isSpeed(unit) ? measured >= limit : measured <= limit;
}

/** Whether more is better. */
export function isSpeed(unit: Ratio["unit"]): boolean {
  return unit === "times faster" || unit.endsWith("/s");
}

/** @throws Error if there is no such case. */
export function timeOf(times: Times, name: string): number {
  const time = times.get(name);
  if (time === undefined) {
    throw new Error(`no case is named ${name}`);
  }
  return time;
}
