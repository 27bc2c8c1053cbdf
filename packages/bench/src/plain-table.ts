/**
 * Times the cases that are compared with nothing, one after another, by tinybench. What is compared takes turns instead:
 * `rounds.ts`.
 */
import { Bench } from "tinybench";
import type { Case } from "./cases.ts";
import { checkAnswer, collectYoungGarbage } from "./rounds.ts";

/** The least time of each case in ns an input, by name. */
export async function timeOneByOne(cases: readonly Case[], iterations: number): Promise<Map<string, number>> {
  // `time: 0` leaves it to the iterations alone. Errors come out here instead of as a missing number.
  const bench = new Bench({ iterations, time: 0, warmupIterations: 2, warmupTime: 0, throws: true });
  for (const one of cases) {
    bench.add(one.name, async () => checkAnswer(one, await one.run()), { beforeEach: collectYoungGarbage });
  }
  await bench.run();
  return new Map(
    cases.map(({ name, inputs }) => {
      const result = bench.getTask(name)?.result;
      if (result?.state !== "completed") {
        throw new Error(`${name}: not completed, ${result?.state}`);
      }
      return [name, (result.latency.min * 1e6) / inputs];
    }),
  );
}
