/**
 * Saved splices: stop here, go on later or on another machine, with the same samples as if nothing had happened.
 *
 *     const bytes = save(splicing);                      // between two steps, or while one waits for a block
 *     const checkpoint = open(bytes);                    // elsewhere: read each replica again from resumeFromMs on
 *     splice(blocks, checkpoint.strategy, { resume: checkpoint });
 *
 * A checkpoint holds a few numbers a replica, times and scalars only: the blocks may be cut differently when they are read
 * again. The end of a source is the end of its series; who goes on when there is more saves first and then cancels.
 *
 *     bytes    0..3   "PSCP"
 *              4..7   CRC-32 of the rest, big-endian (ISO-HDLC, as in zip)
 *              8      version
 *              9..    MessagePack, arrays only
 */
import { decode, encode } from "@msgpack/msgpack";
import { Checkpoint } from "./resume.ts";
import type { PairState, WindowState } from "./source.ts";
import { SpliceError } from "./splice-error.ts";
import { type OpenRunState, REPLICAS_MAX, type SplicerState } from "./splicer.ts";
import type { AsyncSplicing, Splicing } from "./splicing.ts";
import type { Strategy } from "./strategy.ts";
import { chain } from "./strategy/chain.ts";
import { interval } from "./strategy/interval.ts";
import { fill } from "./strategy/fill.ts";
import { isFillingState } from "./strategy/filling-state.ts";
import type { StaleMarkers } from "./strategy/filling.ts";
import { penalty } from "./strategy/penalty.ts";
import { TIMESTAMP_MS_MAX } from "./timestamp.ts";

export type { Checkpoint };

const MAGIC = 0x50534350;
const VERSION = 1;
const HEADER_BYTES = 9;
/** A replica takes at most some 80 bytes. Hostile bytes can make a decoder allocate about a thousand times their length. */
const CHECKPOINT_BYTES_MAX = 32 * 1024;
const NAME_BYTES_MAX = 64;
const SCALARS_MAX = 8 * REPLICAS_MAX;

/**
 * Saves where a splice stands: all runs that it handed out count as taken, the present one included. Allowed between two
 * steps, and while one waits for a block.
 */
export function save(splicing: Splicing | AsyncSplicing): Uint8Array {
  const { splicer } = splicing;
  const { open: openRun, pairs, windows, scalars } = splicer.save();
  const body = encode([
    splicer.strategy.name,
    Object.entries(splicer.strategy.options),
    windows.map((window) => [window.fromMs, window.ended, window.adjust]),
    pairs.map((pair) => [
      pair.lastMs,
      pair.penaltyMs,
      pair.reachedMs,
      pair.current,
      pair.replica,
      pair.value ?? null,
      pair.stepAdd ?? null,
    ]),
    openRun === undefined ? null : [openRun.replica, openRun.firstMs, openRun.lastMs, openRun.add],
    ...(scalars === undefined ? [] : [scalars]),
  ]);
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  bytes[HEADER_BYTES - 1] = VERSION;
  bytes.set(body, HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, crc32(bytes.subarray(8)));
  return bytes;
}

/**
 * Reads a checkpoint.
 *
 * @throws SpliceError `checkpoint-malformed` if the bytes are damaged or no checkpoint, `checkpoint-version` if a newer
 * release wrote them; TypeError if they are no Uint8Array.
 */
export function open(bytes: Uint8Array): Checkpoint {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("a checkpoint must be a Uint8Array");
  }
  if (bytes.length < HEADER_BYTES || bytes.length > CHECKPOINT_BYTES_MAX) {
    throw malformed(`it has ${bytes.length} bytes, expected ${HEADER_BYTES} to ${CHECKPOINT_BYTES_MAX}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== MAGIC) {
    throw malformed("it does not begin with PSCP");
  }
  if (view.getUint32(4) !== crc32(bytes.subarray(8))) {
    throw malformed("its checksum is wrong");
  }
  const version = bytes[8]!;
  if (version !== VERSION) {
    throw new SpliceError(
      "checkpoint-version",
      `the checkpoint has version ${version}, this release reads version ${VERSION}`,
    );
  }
  let body: unknown;
  try {
    body = decode(bytes.subarray(HEADER_BYTES), {
      maxArrayLength: SCALARS_MAX,
      maxStrLength: NAME_BYTES_MAX,
      maxBinLength: 0,
      maxMapLength: 0,
      maxExtLength: 0,
    });
  } catch (error) {
    throw malformed("it is not the MessagePack it should be", error);
  }
  const [name, options, windows, pairs, run, scalars] = tuple(body, list(body).length === 6 ? 6 : 5);
  const state: SplicerState = {
    windows: list(windows).map((window) => readWindow(window)),
    pairs: list(pairs).map((pair) => readPair(pair)),
    open: run === null ? undefined : readOpenRun(run),
    ...(scalars === undefined ? {} : { scalars: readScalars(scalars, list(windows).length) }),
  };
  const strategy = readStrategy(name, options);
  const replicas = state.windows.length;
  if (state.pairs.length !== (strategy.name === "penalty" ? Math.max(0, replicas - 1) : 0)) {
    throw malformed(`it has ${state.pairs.length} pairs of ${replicas} replicas`);
  }
  if ((strategy.name === "fill") !== (scalars !== undefined)) {
    throw malformed(`it has ${scalars === undefined ? "no" : "a"} state of fill, and is of ${strategy.name}`);
  }
  for (const { replica } of [...state.pairs, ...(state.open === undefined ? [] : [state.open])]) {
    if (!Number.isInteger(replica) || replica < 0 || replica >= replicas) {
      throw malformed(`it names replica ${replica} of ${replicas}`);
    }
  }
  return new Checkpoint(strategy, state);
}

function readStrategy(name: unknown, entries: unknown): Strategy {
  const options = new Map(list(entries).map((entry) => tuple(entry, 2) as [unknown, unknown]));
  switch (name) {
    case "penalty":
      return penalty({ counter: boolean(options.get("counter")) });
    case "interval":
      return interval({ intervalMs: positiveTime(options.get("intervalMs")) });
    case "chain":
      return chain();
    case "fill": {
      const intervalMs = options.get("intervalMs");
      return fill({
        ...(intervalMs === undefined ? {} : { intervalMs: number(intervalMs) }),
        staleMarkers: options.get("staleMarkers") as StaleMarkers,
        counter: boolean(options.get("counter")),
      });
    }
    default:
      throw malformed(`it names a strategy ${JSON.stringify(name)} that does not exist`);
  }
}

function readWindow(given: unknown): WindowState {
  const [fromMs, ended, adjust] = tuple(given, 3);
  return { fromMs: time(fromMs), ended: boolean(ended), adjust: number(adjust) };
}

function readPair(given: unknown): PairState {
  const [lastMs, penaltyMs, reachedMs, current, replica, value, stepAdd] = tuple(given, 7);
  return {
    lastMs: time(lastMs),
    penaltyMs: number(penaltyMs),
    reachedMs: number(reachedMs),
    current: number(current),
    replica: number(replica),
    value: value === null ? undefined : number(value),
    stepAdd: stepAdd === null ? undefined : number(stepAdd),
  };
}

/** What `fill` saved: see `Filling.save`. */
function readScalars(given: unknown, replicas: number): readonly number[] {
  const scalars = list(given).map((scalar) => number(scalar));
  if (!isFillingState(scalars, replicas)) {
    throw malformed(`it has ${scalars.length} scalars that cannot be a state over ${replicas} replicas`);
  }
  return scalars;
}

function readOpenRun(given: unknown): OpenRunState {
  const [replica, firstMs, lastMs, add] = tuple(given, 4);
  return { replica: number(replica), firstMs: time(firstMs), lastMs: time(lastMs), add: number(add) };
}

function tuple(given: unknown, length: number): readonly unknown[] {
  const items = list(given);
  if (items.length !== length) {
    throw malformed(`it has ${items.length} fields where ${length} are expected`);
  }
  return items;
}

function list(given: unknown): readonly unknown[] {
  if (!Array.isArray(given)) {
    throw malformed("a list is missing");
  }
  return given;
}

function number(given: unknown): number {
  if (typeof given !== "number") {
    throw malformed("a number is missing");
  }
  return given;
}

/** A time, or what stands for "none yet" and "after everything". */
function time(given: unknown): number {
  const timeMs = number(given);
  if (Math.abs(timeMs) !== Infinity && !(Number.isInteger(timeMs) && Math.abs(timeMs) <= TIMESTAMP_MS_MAX + 1)) {
    throw malformed(`${timeMs} is no time`);
  }
  return timeMs;
}

/** A length of time. */
function positiveTime(given: unknown): number {
  const lengthMs = time(given);
  if (!(lengthMs > 0 && lengthMs <= TIMESTAMP_MS_MAX)) {
    throw malformed(`${lengthMs} is no length of time`);
  }
  return lengthMs;
}

function boolean(given: unknown): boolean {
  if (typeof given !== "boolean") {
    throw malformed("a boolean is missing");
  }
  return given;
}

function malformed(reason: string, cause?: unknown): SpliceError {
  return new SpliceError("checkpoint-malformed", `the checkpoint cannot be read: ${reason}`, { cause });
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ~crc >>> 0;
}
