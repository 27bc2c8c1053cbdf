/** The stretch of time that is read, from `--range 1h30m` and `--end`. */
import type { Stretch } from "./measure.ts";
import { Problem } from "./problem.ts";

const SECOND_MS = 1000;
const DAY_MS = 24 * 3600 * SECOND_MS;

/** PromQL's units, the longest first, as they must stand in a duration: 1d12h, not 12h1d. */
const UNITS_MS: Readonly<Record<string, number>> = {
  y: 365 * DAY_MS,
  w: 7 * DAY_MS,
  d: DAY_MS,
  h: 3600 * SECOND_MS,
  m: 60 * SECOND_MS,
  s: SECOND_MS,
  ms: 1,
};
const DURATION = /^(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?$/u;

/** Date, time and offset from UTC (RFC 3339 §5.6). */
const INSTANT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/u;
const UNIX_SECONDS = /^\d+(?:\.\d+)?$/u;

/**
 * @param range A duration as PromQL writes it.
 * @param end Unix time in seconds, or RFC 3339; now where it is undefined.
 * @throws Problem
 */
export function parseTimeRange(range: string, end: string | undefined, nowMs: number): Stretch {
  const durationMs = parseDuration("--range", range, "30m, 1h, 1h30m or 2d");
  const toMs = end === undefined ? nowMs : parseInstant(end);
  return { fromMs: toMs - durationMs, toMs };
}

/**
 * A duration in ms, as PromQL writes it.
 *
 * @param option What it was given for, and what one may look like there: told where it is none.
 * @throws Problem
 */
export function parseDuration(option: string, text: string, examples: string): number {
  const parts = [...text.matchAll(/(\d+)([a-z]+)/gu)];
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit!] ?? Number.NaN), 0);
  // A thousand years: more than a server can have, less than a time can hold.
  if (!DURATION.test(text) || !(ms > 0 && ms <= 1000 * UNITS_MS["y"]!)) {
    throw new Problem(`${option} is ${JSON.stringify(text)}: write a duration such as ${examples}`);
  }
  return ms;
}

function parseInstant(text: string): number {
  const ms = UNIX_SECONDS.test(text) ? Math.round(Number(text) * SECOND_MS) : parseDate(text);
  // The last instant that a Date can hold.
  if (!(ms <= 8.64e15)) {
    const problem = `--end is ${JSON.stringify(text)}: write 2026-01-15T13:00:00Z, or Unix time in seconds`;
    throw new Problem(problem);
  }
  return ms;
}

function parseDate(text: string): number {
  return INSTANT.test(text) ? Date.parse(text.replace(" ", "T").toUpperCase()) : Number.NaN;
}
