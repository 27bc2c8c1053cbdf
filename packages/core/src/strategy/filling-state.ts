/** What `fill` saves: times and scalars, in one list. */
import { TIMESTAMP_MS_MAX } from "../timestamp.ts";
import { CLOSED, type Levels, type Place } from "./levels.ts";

/** Of the whole: the time shown last; time and replica of the live sample that came last, and of the one shown last. */
const SCALARS = 5;
/** Of each replica: time and replica of its level's next sample, its J, its end. */
const SCALARS_A_REPLICA = 4;

/** Whether numbers can be what {@link saveFilling} writes, over so many replicas. */
export function isFillingState(scalars: readonly number[], replicas: number): boolean {
  const isReplica = (index: number, leastReplica: number): boolean =>
    Number.isInteger(scalars[index]) && scalars[index]! >= leastReplica && scalars[index]! < replicas;
  const isTime = (index: number): boolean =>
    Math.abs(scalars[index]!) === Infinity ||
    (Number.isInteger(scalars[index]) && Math.abs(scalars[index]!) <= TIMESTAMP_MS_MAX);
  if (
    scalars.length !== SCALARS + SCALARS_A_REPLICA * replicas ||
    ![0, 1, 3].every(isTime) ||
    !isReplica(2, -1) ||
    !isReplica(4, -1)
  ) {
    return false;
  }
  for (let at = SCALARS; at < scalars.length; at += SCALARS_A_REPLICA) {
    if (!(isTime(at) && isReplica(at + 1, 0) && scalars[at + 2]! >= CLOSED && isTime(at + 3))) {
      return false;
    }
  }
  return true;
}

/** Writes down where a splice stands. */
export function saveFilling(levels: Levels, shownMs: number, lastShown: Place): number[] {
  const { last, replicas } = levels;
  const scalars = [shownMs, last.timeMs, last.replica, lastShown.timeMs, lastShown.replica];
  for (const { replica, untilMs } of replicas) {
    scalars.push(levels.nextMs[replica]!, levels.nextReplica[replica]!, levels.spacingMs[replica]!, untilMs);
  }
  return scalars;
}

/** A replica's end, as it was saved. */
export function savedEndMs(saved: readonly number[] | undefined, replica: number): number {
  return saved?.[SCALARS + SCALARS_A_REPLICA * replica + 3] ?? Infinity;
}

/** Puts everything else back where it was, and returns the time shown last. */
export function restoreFilling(saved: readonly number[], levels: Levels, lastShown: Place): number {
  const [shownMs, lastMs, lastReplica, lastShownMs, lastShownReplica] = saved;
  Object.assign(levels.last, { timeMs: lastMs, replica: lastReplica });
  Object.assign(lastShown, { timeMs: lastShownMs, replica: lastShownReplica });
  for (let replica = 0; replica < levels.replicas.length; replica++) {
    const at = SCALARS + SCALARS_A_REPLICA * replica;
    levels.nextMs[replica] = saved[at]!;
    levels.nextReplica[replica] = saved[at + 1]!;
    levels.spacingMs[replica] = saved[at + 2]!;
  }
  return shownMs!;
}
