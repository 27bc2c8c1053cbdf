import { describe, expect, it } from "vitest";
import { makeStrategy, readChoice, STRATEGY_NAMES, type StrategyValues } from "../src/strategies.ts";

describe("the choice of a strategy", () => {
  it.each<[StrategyValues, string, object]>([
    [{}, "fill", {}],
    [{ interval: "1m" }, "fill", { intervalMs: 60_000 }],
    [{ strategy: "fill" }, "fill", {}],
    [{ strategy: "penalty" }, "penalty", {}],
    [{ strategy: "interval", interval: "1500ms" }, "interval", { intervalMs: 1500 }],
    [{ strategy: "chain" }, "chain", {}],
  ])("of %j is %s", (values, name, options) => {
    const choice = readChoice(values);
    const strategy = makeStrategy(choice.name, choice.intervalMs);
    expect([choice.name, strategy.name]).toEqual([name, name]);
    expect(strategy.options).toMatchObject(options);
  });

  it("is between the four that are drawn", () => {
    expect(STRATEGY_NAMES.map((name) => makeStrategy(name, 1000).name)).toEqual(STRATEGY_NAMES);
  });
});
