/**
 * Whole worlds in simulated time: clients × a spliced reader × two to four replicas × whatever can go wrong between them.
 */
import { type Cases, campaign } from "./campaign.ts";
import { simulate } from "./simulation/simulate.ts";
import type { Verdict } from "./simulation/verdict.ts";

campaign("simulation", { count: 10_000, of: "worlds", seconds: 6 }, async (cases: Cases) => {
  const verdicts = new Map<Verdict, number>();
  let connections = 0;
  let simulatedMs = 0;
  for (const seed of cases) {
    const simulated = await simulate(seed);
    connections += simulated.connections;
    simulatedMs += simulated.simulatedMs;
    for (const verdict of simulated.verdicts) {
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
  }
  return { connections, "simulated hours": simulatedMs / 3_600_000, ...Object.fromEntries(verdicts) };
});
