/** What a seed makes of a simulation: replicas and what they hold, clients and what they ask for, and what goes wrong. */
import { chain, fill, interval, penalty, type Strategy } from "@promsplice/core";

import { type ClientPlan, drawClient } from "./client-plan.ts";
import { Dice } from "./dice.ts";
import { drawReplica, drawTargets, type ReplicaPlan } from "./replica-plan.ts";

interface StrategyPlan {
  readonly name: "penalty" | "counter" | "fill" | "interval" | "chain";
  readonly strategy: Strategy;
  readonly intervalMs: number;
}

export interface World {
  readonly seed: number;
  readonly replicaLabel: string;
  readonly replicaOrder: readonly string[];
  readonly replicas: readonly ReplicaPlan[];
  readonly clients: readonly ClientPlan[];
  readonly strategy: StrategyPlan;
  readonly partial: "one" | "all";
  readonly marginMs: number;
  readonly concurrency: number;
  readonly queue: number;
  readonly queueMs: number;
  readonly writeStallMs: number;
}

const REPLICAS = ["A", "B", "C", "D"];

export function makeWorld(seed: number): World {
  const dice = new Dice(seed, "world");
  const replicaLabel = dice.pick(["replica", "__replica__", "prometheus_replica"]);
  const strategy = drawStrategy(dice);
  const targets = drawTargets(dice, strategy.name === "counter");
  const names = dice.shuffle(REPLICAS.slice(0, dice.whole(2, 4)));
  const isAligned = dice.chance(0.25);
  const cluster: Readonly<Record<string, string>> = dice.chance(0.5) ? { cluster: "c" } : {};
  const faults = dice.pick([0, 0.1, 0.4, 0.8]);
  const replicas = names.map((name) =>
    drawReplica(name, { ...cluster, [replicaLabel]: name }, targets, isAligned, faults, new Dice(seed, name)),
  );
  const clientCount = dice.whole(1, 4);
  return {
    seed,
    replicaLabel,
    replicaOrder: dice.chance(0.2) ? [dice.pick(names)] : [],
    replicas,
    strategy,
    clients: Array.from({ length: clientCount }, (_, index) =>
      drawClient(index, replicaLabel, new Dice(seed, `client ${index}`)),
    ),
    partial: dice.chance(0.15) ? "all" : "one",
    marginMs: dice.pick([0, 60_000, 300_000]),
    concurrency: dice.pick([0, 1, 2, 10]),
    queue: dice.whole(0, 2),
    queueMs: dice.pick([50, 2000]),
    writeStallMs: 4000,
  };
}

function drawStrategy(dice: Dice): StrategyPlan {
  const intervalMs = dice.pick([15_000, 30_000]);
  const name = dice.pick(["penalty", "penalty", "penalty", "counter", "fill", "fill", "interval", "chain"] as const);
  const strategies: Readonly<Record<StrategyPlan["name"], () => Strategy>> = {
    penalty: () => penalty(),
    counter: () => penalty({ counter: true }),
    fill: () => fill(),
    interval: () => interval({ intervalMs }),
    chain: () => chain(),
  };
  return { name, strategy: strategies[name](), intervalMs };
}
