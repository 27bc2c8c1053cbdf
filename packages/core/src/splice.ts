/** The calls that people need: splice columns, runs or blocks. */
import { type Block, type Columns, columnsBlock } from "./block.ts";
import { Coverage } from "./coverage.ts";
import { Explainer } from "./explain.ts";
import { gatherBlocks, gatherRuns } from "./gather.ts";
import { dealLanes } from "./lanes.ts";
import type { Checkpoint } from "./resume.ts";
import { describe } from "./splice-error.ts";
import { REPLICAS_MAX, Splicer } from "./splicer.ts";
import { AsyncSplicing, Splicing } from "./splicing.ts";
import { penalty } from "./strategy/penalty.ts";
import { Strategy } from "./strategy.ts";

export interface SpliceOptions {
  /** First time of the window in ms, inclusive. Samples before it are no input. −∞ by default. */
  readonly startMs?: number;
  /** Last time of the window in ms, inclusive. Samples after it are no input. +∞ by default. */
  readonly endMs?: number;
  /** A checkpoint (`@promsplice/core/checkpoint`) from which to go on. */
  readonly resume?: Checkpoint;
  /**
   * With `"thanos"` the strategy gets the lanes of a Thanos Querier in place of the replicas, see `thanosLanes`: for
   * comparing `penalty` with one. All blocks are taken from the iterables before the first step, so `spliceAsync` refuses
   * it; such a splice can be neither saved nor resumed. Runs still name the replica that a block came from.
   */
  readonly lanes?: "thanos";
  /** A collector, made by `explainer()`, of which replica is shown when and why. */
  readonly explain?: Explainer;
  /** A collector, made by `coverage()`, of how well the spliced series covers the time. */
  readonly coverage?: Coverage;
}

/**
 * Splices whole columns, one pair a replica, into one pair: fresh arrays of the exact size. Without a replica they are
 * empty; with one they are a copy.
 *
 * Of a column the first and the last row and those that the strategy reads are checked, see `checkColumns` for all.
 *
 * @throws TypeError or RangeError that names the replica and the row.
 */
export function dedup(replicas: readonly Columns[], strategy: Strategy, options: SpliceOptions = {}): Columns {
  const blocks = checkReplicas(replicas).map((columns, replica) => blockOfReplica(columns, replica));
  return gatherRuns(splice(blocks, strategy, options), replicas);
}

/**
 * Splices blocks into runs, which say what the spliced series is made of; nothing is copied.
 *
 * A replica's blocks that overlap are united, the first one wins where times are equal. An array of blocks may have any
 * order; another iterable must deliver them by first time.
 *
 * @throws TypeError or RangeError that names the replica and the row; SpliceError `blocks-out-of-order`,
 * `checkpoint-mismatch`.
 */
export function splice(
  replicas: readonly Iterable<Block>[],
  strategy: Strategy,
  options: SpliceOptions = {},
): Splicing {
  checkReplicas(replicas).forEach((blocks, replica) => {
    if (typeof blocks?.[Symbol.iterator] !== "function") {
      throw new TypeError(`replica ${replica}: expected an iterable of blocks, got ${describe(blocks)}`);
    }
  });
  const { lanes: wanted, coverage, startMs = -Infinity, endMs = Infinity } = options;
  if (wanted === undefined && coverage?.level !== "replicas") {
    return new Splicing(makeSplicer(replicas.length, strategy, options), replicas);
  }
  const blocks = replicas.map((list) => [...list]);
  if (wanted === undefined) {
    const splicer = makeSplicer(blocks.length, strategy, options);
    coverage?.readReplicas(blocks, startMs, endMs);
    return new Splicing(splicer, blocks);
  }
  if (wanted !== "thanos") {
    throw new TypeError(`lanes must be "thanos", got ${describe(wanted)}`);
  }
  if (options.resume !== undefined) {
    throw new TypeError("a splice over lanes cannot be resumed");
  }
  const { lanes, replicaOf } = dealLanes(blocks, startMs, endMs);
  const splicer = makeSplicer(checkReplicas(lanes).length, strategy, options, replicaOf);
  if (coverage?.level === "replicas") {
    coverage.readReplicas(blocks, startMs, endMs);
  }
  return new Splicing(splicer, lanes);
}

/** As {@link splice}, over replicas that deliver their blocks one at a time, in the order of their first times. */
export function spliceAsync(
  replicas: readonly AsyncIterable<Block>[],
  strategy: Strategy,
  options: SpliceOptions = {},
): AsyncSplicing {
  checkReplicas(replicas).forEach((blocks, replica) => {
    if (typeof blocks?.[Symbol.asyncIterator] !== "function") {
      throw new TypeError(`replica ${replica}: expected an async iterable of blocks, got ${describe(blocks)}`);
    }
  });
  if (options.lanes !== undefined) {
    throw new TypeError("lanes need all blocks at hand: collect them, and call splice");
  }
  if (options.coverage?.level === "replicas") {
    throw new TypeError("coverage of the replicas needs all blocks at hand: collect them, and call splice");
  }
  return new AsyncSplicing(makeSplicer(replicas.length, strategy, options), replicas);
}

/**
 * Splices blocks into blocks: a spliced series is a series like any other. A block that a run covers whole is handed on as
 * it is, so an encoded chunk can be passed on as the bytes it came in. Longer parts are slices; runs of floats under 8 rows
 * are gathered into fresh columns of at most 120.
 *
 * Where a block's first row does not follow its true predecessor it is `detached`. Throws as {@link splice} does, while it
 * is iterated over.
 */
export function spliceBlocks(
  replicas: readonly Iterable<Block>[],
  strategy: Strategy,
  options: SpliceOptions = {},
): Iterable<Block> {
  return gatherBlocks(splice(replicas, strategy, options));
}

function makeSplicer(
  replicas: number,
  strategy: Strategy,
  options: SpliceOptions,
  replicaOf?: ReadonlyMap<Block, number>,
): Splicer {
  if (!(strategy instanceof Strategy)) {
    throw new TypeError(`strategy must be made by penalty() or one of its siblings, got ${describe(strategy)}`);
  }
  const { startMs = -Infinity, endMs = Infinity, resume, explain, coverage } = options;
  if (explain !== undefined && !(explain instanceof Explainer)) {
    throw new TypeError(`explain must be made by explainer(), got ${describe(explain)}`);
  }
  if (coverage !== undefined && !(coverage instanceof Coverage)) {
    throw new TypeError(`coverage must be made by coverage(), got ${describe(coverage)}`);
  }
  for (const [name, timeMs] of Object.entries({ startMs, endMs })) {
    if (typeof timeMs !== "number" || Number.isNaN(timeMs)) {
      throw new TypeError(`${name} must be a number of milliseconds, got ${describe(timeMs)}`);
    }
  }
  if (!keptSplices.has(strategy.name)) {
    keptSplices.set(strategy.name, spliceAtHand(strategy.name === "penalty" ? penalty({ counter: true }) : strategy));
  }
  return new Splicer(strategy, replicas, startMs, endMs, resume?.stateFor(strategy, replicas), replicaOf, {
    explain,
    coverage,
  });
}

/**
 * A small splice of each strategy that was ever used, by its name, never let go of. V8 forgets the shape of a class with its
 * last object, and with it all compiled code that relies on the shape; so without them a full collection of garbage while no
 * splice is under way, as large answers bring about, makes the next one begin in the interpreter: 8 instead of 2.6 ns a sample
 * in a young process (Node 20.20). Of a strategy that is not used there must be none: with two of them in a process the engine
 * expects both at each step, and `penalty` takes a third more time.
 */
const keptSplices = new Map<string, Splicer>();

function spliceAtHand(strategy: Strategy): Splicer {
  const splicer = new Splicer(strategy, 3, -Infinity, Infinity);
  for (let replica = 0; replica < 3; replica++) {
    const timestamps = Float64Array.from([0, 15_000, 30_000, 90_000], (timeMs) => timeMs + 2000 * replica);
    splicer.give(replica, columnsBlock({ timestamps, values: new Float64Array(4) }));
    splicer.finish(replica);
  }
  splicer.next();
  return splicer;
}

function checkReplicas<T>(replicas: readonly T[]): readonly T[] {
  if (!Array.isArray(replicas)) {
    throw new TypeError(`replicas must be an array, got ${describe(replicas)}`);
  }
  if (replicas.length > REPLICAS_MAX) {
    throw new RangeError(`there are ${replicas.length} replicas, limit is ${REPLICAS_MAX}`);
  }
  return replicas;
}

/** A replica's column as blocks: one, or none where it is empty. Errors get the replica's number. */
function blockOfReplica(columns: Columns, replica: number): readonly Block[] {
  try {
    if (columns.timestamps instanceof Float64Array && columns.timestamps.length === 0 && columns.values.length === 0) {
      return [];
    }
    return [columnsBlock(columns)];
  } catch (error) {
    if (error instanceof RangeError) {
      throw new RangeError(`replica ${replica}, ${error.message}`, { cause: error });
    }
    throw new TypeError(`replica ${replica}: ${error instanceof Error ? error.message : describe(columns)}`, {
      cause: error,
    });
  }
}
