/** The simulation in small, see simulation.campaign.ts: that it is what it claims to be. */
import { expect, test } from "vitest";

import { checkTraces, hashTraces } from "./checked-traces.ts";

test("a world is judged right, and goes the same way each time and everywhere", async () => {
  const hashes = await hashTraces(20);
  checkTraces(hashes);
  expect(await hashTraces(5)).toEqual(hashes.slice(0, 5));
});
