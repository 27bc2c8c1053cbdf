import { test } from "vitest";
import { simulate } from "./simulation/simulate.ts";
test("scan", async () => {
  const from = Number(process.env["FROM"] ?? 0);
  const count = Number(process.env["COUNT"] ?? 300);
  const problems = new Map<string, number[]>();
  const verdicts: Record<string, number> = {};
  if (process.env["LIMIT"]) Error.stackTraceLimit = Number(process.env["LIMIT"]);
  console.log(Error.stackTraceLimit);
  const cpu = process.cpuUsage();
  const started = performance.now();
  let conns = 0;
  let lines = 0;
  const list = process.env["SEEDS"]?.split(" ").map(Number) ?? Array.from({ length: count }, (_, i) => from + i);
  for (const seed of list) {
    try {
      const { verdicts: all, connections, trace } = await simulate(seed);
      conns += connections;
      lines += trace.lines().length;
      for (const v of all) verdicts[v] = (verdicts[v] ?? 0) + 1;
    } catch (error) {
      const text = String((error as Error).message)
        .split("\n")[0]!
        .slice(0, 150);
      if (process.env["STOP"] !== undefined) {
        console.log("CAUGHT", seed, text);
        return;
      }
      problems.set(text, [...(problems.get(text) ?? []), seed]);
    }
  }
  console.log(
    verdicts,
    conns,
    lines,
    `${((performance.now() - started) / count).toFixed(2)} ms a seed`,
    (process.cpuUsage(cpu).user + process.cpuUsage(cpu).system) / 1000 / count,
    "cpu ms",
  );
  for (const [text, seeds] of problems) console.log(seeds.length, text, seeds.slice(0, 8).join(" "));
}, 600_000);
