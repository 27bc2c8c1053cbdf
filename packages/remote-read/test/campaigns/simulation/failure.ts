/** What can go wrong with the answer of a replica. */

/** What is drawn for a connection. `silence` is no answer, `stall` no more of one, `slow` one whose packets take seconds. */
export const FAULTS = [
  "refuse",
  "silence",
  "status",
  "cut",
  "cut",
  "reset",
  "stall",
  "corrupt",
  "text",
  "slow",
] as const;

/** Further ones come from what goes on in the world: a restart, a server that is down, or that breaks its answer off. */
export type Failure = (typeof FAULTS)[number] | "restart" | "down" | "server";
