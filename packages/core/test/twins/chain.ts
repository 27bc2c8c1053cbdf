/** The naive twin of `chain`: all times, and for each the first replica that has it. It imports nothing from the sources. */
import type { Row, Shown } from "./penalty.ts";

export function chainTwin(replicas: readonly (readonly Row[])[]): Shown[] {
  const times = [...new Set(replicas.flat().map(({ t }) => t))].toSorted((one, other) => one - other);
  return times.map((t) => {
    const replica = replicas.findIndex((rows) => rows.some((row) => row.t === t));
    return { t, replica, row: replicas[replica]!.findIndex((row) => row.t === t), add: 0 };
  });
}
