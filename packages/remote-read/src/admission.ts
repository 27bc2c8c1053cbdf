/**
 * How many reads run at the same time: those that find no place wait for one, not many and not for long.
 *
 *     read ──▶ running (≤ concurrency) ──▶ leaves, and the longest waiting one takes the place
 *        └──▶ waiting (≤ queue, each ≤ queueMs) ──▶ refused, if no place becomes free
 */
import { RemoteReadError } from "./remote-read-error.ts";

export interface AdmissionLimits {
  /** How many run at the same time; 0 for any number. */
  readonly concurrency: number;
  /** How many wait at most. */
  readonly queue: number;
  /** How long each of them waits at most, in ms. */
  readonly queueMs: number;
}

/** Gives a place back; further calls do nothing. */
export type Leave = () => void;

export class Admission {
  readonly #limits: AdmissionLimits;
  #running = 0;
  /** Those that wait, the longest waiting first; each takes a place when called. */
  readonly #waiting = new Set<() => void>();

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /**
   * Waits for a place. Gives what gives it back, or undefined where the queue is full or the wait was too long.
   *
   * @throws RemoteReadError `aborted` if the signal is, before there is a place.
   */
  async enter(signal: AbortSignal): Promise<Leave | undefined> {
    const { concurrency, queue } = this.#limits;
    if (signal.aborted) {
      throw leftEarly(signal);
    }
    if (concurrency === 0) {
      return () => {};
    }
    if (this.#running < concurrency) {
      this.#running++;
      return this.#makeLeave();
    }
    return this.#waiting.size < queue ? this.#wait(signal) : undefined;
  }

  #wait(signal: AbortSignal): Promise<Leave | undefined> {
    return new Promise((resolve, reject) => {
      const stopWaiting = (): void => {
        clearTimeout(clock);
        signal.removeEventListener("abort", giveUp);
        this.#waiting.delete(takePlace);
      };
      const takePlace = (): void => {
        stopWaiting();
        resolve(this.#makeLeave());
      };
      const giveUp = (): void => {
        stopWaiting();
        reject(leftEarly(signal));
      };
      const clock = setTimeout(() => {
        stopWaiting();
        resolve(undefined);
      }, this.#limits.queueMs);
      signal.addEventListener("abort", giveUp);
      this.#waiting.add(takePlace);
    });
  }

  #makeLeave(): Leave {
    let hasLeft = false;
    return () => {
      if (hasLeft) {
        return;
      }
      hasLeft = true;
      const [next] = this.#waiting;
      if (next === undefined) {
        this.#running--;
      } else {
        // The place goes straight to it: nobody who comes now can be quicker.
        next();
      }
    };
  }
}

function leftEarly(signal: AbortSignal): RemoteReadError {
  return new RemoteReadError("aborted", "the client left before there was a place", { cause: signal.reason });
}
