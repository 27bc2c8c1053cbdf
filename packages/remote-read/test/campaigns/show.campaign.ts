import { test } from "vitest";
import { simulate, traces } from "./simulation/simulate.ts";
test("show", async () => {
  const seed = Number(process.env["SEED"]);
  try { await simulate(seed); } catch (error) { console.log(String((error as Error).stack).slice(0, 6000)); }
  console.log(traces.last!.lines().join("\n"));
}, 600_000);
