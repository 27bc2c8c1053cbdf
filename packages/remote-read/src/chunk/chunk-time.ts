/**
 * The arithmetic of times in chunks. Times and deltas are numbers inside ±2^53, where numbers are exact; the original computes
 * modulo 2^64, here what leaves the range is an error that names it.
 */
import type { RemoteReadError } from "../remote-read-error.ts";

/**
 * The furthest that a time may be from the epoch, and from the one before it, in ms: numbers are exact up to there. The
 * original computes modulo 2^64.
 */
export const TIME_MS_MAX: number = 2 ** 53;

/** What reads a chunk, and says of which row an error is. */
interface RowReader {
  malformed(problem: string): RemoteReadError;
}

/** The time `deltaMs` after `timeMs`. A sum of two numbers inside ±2^53 is exact as long as it is inside, too. */
export function advanceTime(reader: RowReader, timeMs: number, deltaMs: number): number {
  const sumMs = timeMs + deltaMs;
  return Math.abs(sumMs) < TIME_MS_MAX ? sumMs : checkTime(reader, BigInt(timeMs) + BigInt(deltaMs));
}

/** The delta `stepMs` after `deltaMs`, the last two times being that far apart. */
export function advanceDelta(reader: RowReader, timeMs: number, deltaMs: number, stepMs: number): number {
  const sumMs = deltaMs + stepMs;
  return Math.abs(sumMs) < TIME_MS_MAX ? sumMs : checkDelta(reader, timeMs, BigInt(deltaMs) + BigInt(stepMs));
}

/** The time as a number. */
export function checkTime(reader: RowReader, timeMs: bigint): number {
  if (timeMs > TIME_MS_MAX || timeMs < -TIME_MS_MAX) {
    throw reader.malformed(`time ${timeMs} is outside ±2^53`);
  }
  return Number(timeMs);
}

/** The delta that leads away from `timeMs`, as a number. */
export function checkDelta(reader: RowReader, timeMs: number, deltaMs: bigint): number {
  if (deltaMs > TIME_MS_MAX || deltaMs < -TIME_MS_MAX) {
    checkTime(reader, BigInt(timeMs) + deltaMs);
    throw reader.malformed(`delta ${deltaMs} is outside ±2^53`);
  }
  return Number(deltaMs);
}
