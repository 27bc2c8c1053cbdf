/** What `penalty` makes of replicas of rows, by the step-by-step twin of core. */
import { penaltyTwin, type Row } from "../../core/test/twins/penalty.ts";
import type { ClientRow } from "./strict-client.ts";

export function spliceNaively(replicas: readonly (readonly ClientRow[])[]): ClientRow[] {
  const rows = replicas.map((list) => list.map(([t]): Row => ({ t, high: 0, low: 0, histogram: undefined })));
  return penaltyTwin(rows, false).map(({ replica, row }) => replicas[replica]![row]!);
}
