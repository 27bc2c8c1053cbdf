/**
 * Times cases against each other. The same loop can take three times as long a second later on a shared machine, so what is
 * compared takes turns: each round runs every case once, and the least time of all rounds counts.
 *
 *     round 1    loop 1   loop 2   copy     dedup    splice
 *     round 2    dedup    loop 2   splice   loop 1   copy           of each case the minimum, then the ratios
 *
 * Each round has another order, so that nothing hits the same case every time: no collection of garbage, and not the state of
 * the allocator either, which sometimes has memory for a fresh column and sometimes gets it from the system. That alone
 * makes 2.4 or 6.4 ns a sample of copying.
 *
 * This is a runner of our own because tinybench, which `plain-table.ts` uses, runs one task to its end before the next.
 */
import { performance } from "node:perf_hooks";
import type { Case } from "./cases.ts";
import { seededRandom } from "./fixtures.ts";

/** Rounds that are run but not counted. */
const WARM_UP_ROUNDS = 3;
const ORDER_SEED = 1;

/**
 * The least time of each case in ns an input, by name. Young garbage is collected before each turn, so that no case pays for
 * what another one left behind. A full collection there would spoil the measurement: a few of them make V8 throw away the
 * compiled code of all cases that are not running just then.
 *
 * @throws Error if a case does not return what it must.
 */
export async function takeTurns(cases: readonly Case[], rounds: number): Promise<Map<string, number>> {
  const leastNs = new Float64Array(cases.length).fill(Infinity);
  const random = seededRandom(ORDER_SEED);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const index of shuffle(cases.length, random)) {
      const tookNs = await takeTurn(cases[index]!);
      if (round >= 0) {
        leastNs[index] = Math.min(leastNs[index]!, tookNs);
      }
    }
  }
  return new Map(cases.map(({ name, inputs }, index) => [name, leastNs[index]! / inputs]));
}

/**
 * Runs a case once and returns how long it took in ns.
 *
 * @throws Error if it does not return what it must.
 */
export async function takeTurn(one: Case): Promise<number> {
  collectYoungGarbage();
  const begin = performance.now();
  const answer = one.run();
  // Awaited only where it must be: a turn of the event loop is no part of a synchronous case.
  const got = typeof answer === "number" ? answer : await answer;
  const tookMs = performance.now() - begin;
  checkAnswer(one, got);
  return tookMs * 1e6;
}

/**
 * Runs small cases again and again before large ones are timed, so that the engine has compiled what they call. Otherwise it
 * sees each loop first inside one call that takes milliseconds, compiles the loop alone, from where it happens to be, and
 * keeps leaving and entering that code: two to five times slower, for the step-by-step loops as for `splice`, for ever.
 */
export async function warmUp(cases: readonly Case[], times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    for (const one of cases) {
      checkAnswer(one, await one.run());
    }
  }
}

/** Does nothing where Node was started without `--expose-gc`. */
export function collectYoungGarbage(): void {
  globalThis.gc?.({ type: "minor" });
}

/** The numbers below `count` in random order. */
function shuffle(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** Fails unless a case gave what it must give. */
export function checkAnswer({ name, expected }: Case, got: number): void {
  if (got !== expected) {
    throw new Error(`${name}: gave ${got}, expected ${expected}`);
  }
}

/**
 * Lets go of one buffer, as any program has that has read a `fetch` body. Until the first one V8 leaves a check out of
 * every access to a typed array: 8 to 30 % of such loops, which no real program saves.
 */
export function detachOneBuffer(): void {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
}
