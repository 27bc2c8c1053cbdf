/**
 * Whole worlds in simulated time: clients × a spliced reader × two to four replicas × what can go wrong between them. Clock,
 * randomness and network are made from the seed; what a client gets is compared with an oracle that knows what went wrong.
 */
import { expect, test } from "vitest";

import { campaign } from "./campaign.ts";
import { CHECKED_SEEDS, checkTraces, hashTraces } from "./simulation/checked-traces.ts";
import { simulate } from "./simulation/simulate.ts";
import type { Verdict } from "./simulation/verdict.ts";

test("the first worlds go as they did when their traces were checked in", { timeout: 300_000 }, async () => {
  const hashes = await hashTraces(CHECKED_SEEDS);
  checkTraces(hashes);
  expect(new Set(hashes).size).toBe(CHECKED_SEEDS);
});

campaign("simulation", { count: 10_000, of: "worlds", seconds: 6 }, async (cases) => {
  const verdicts: Record<Verdict, number> = { whole: 0, partial: 0, failed: 0, left: 0, stalled: 0, busy: 0 };
  let connections = 0;
  let simulatedMs = 0;
  for (const seed of cases) {
    const simulated = await simulate(seed);
    connections += simulated.connections;
    simulatedMs += simulated.simulatedMs;
    for (const verdict of simulated.verdicts) {
      verdicts[verdict]++;
    }
  }
  return { connections, "simulated hours": simulatedMs / 3_600_000, ...verdicts };
});
