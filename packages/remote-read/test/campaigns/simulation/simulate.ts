/**
 * A simulated world from its beginning to its end: clients, one handler over one spliced reader, replicas behind a network of
 * which anything can be expected. All of it is made from the seed.
 *
 *     clients ──▶ readHandler ──▶ splicedReader ──▶ remoteReader, one a replica ──▶ network ──▶ servers
 *        └──────────── verdict ◀── oracle ◀── what was stored, what was asked, what went wrong ──┘
 */
import { expect } from "vitest";

import { remoteReader } from "../../../src/client.ts";
import { readHandler } from "../../../src/handler.ts";
import type { Reader, Reading } from "../../../src/reader.ts";
import { RemoteReadError } from "../../../src/remote-read-error.ts";
import { splicedReader } from "../../../src/spliced-reader.ts";
import { AskedQuery } from "./asked-query.ts";
import { checkAttempts } from "./attempts-check.ts";
import { Network, whoAsks } from "./network.ts";
import { SimulatedClient } from "./simulated-client.ts";
import { Trace } from "./trace.ts";
import { judge, type Verdict } from "./verdict.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { makeWorld, type World } from "./world.ts";

/** All of it must be over by then. */
const LIMIT_MS = 3_600_000;

export interface Simulated {
  readonly trace: Trace;
  readonly verdicts: readonly Verdict[];
  readonly connections: number;
  readonly simulatedMs: number;
}

/** Runs the world of a seed. Throws where anything in it is not as it must be. */
export async function simulate(seed: number): Promise<Simulated> {
  const world = makeWorld(seed);
  const clock = new VirtualClock();
  const trace = new Trace(clock);
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on("unhandledRejection", onRejection);
  try {
    const network = new Network(world, clock, trace);
    const readings = new Map<string, Reading>();
    const handler = makeHandler(world, network, trace, readings);
    const clients = world.clients.map((plan) => new SimulatedClient(plan, clock, trace, world.writeStallMs));
    let leftOver: number | undefined;
    let isOver = false;
    const runs = Promise.allSettled(clients.map((client) => client.run(handler))).finally(() => {
      isOver = true;
    });
    await clock.run(LIMIT_MS, () => {
      leftOver ??= isOver ? clock.waiting - network.timers : undefined;
    });
    expect(leftOver, "timers that nobody needs any more").toBe(0);
    expect(clients.map(({ end }) => end)).not.toContain("open");
    expect((await runs).filter(({ status }) => status === "rejected")).toEqual([]);
    expect(network.asked.filter(({ connection }) => connection.state === "open")).toEqual([]);
    expect(rejections).toEqual([]);
    checkAttempts(network.asked);
    const verdicts = clients.map((client, index) => {
      const asked = client.plan.queries.flatMap((plan) => {
        const reading = readings.get(whoAsks(plan));
        return reading === undefined ? [] : [new AskedQuery(world, network, plan, reading.report(), client.endedMs)];
      });
      return judge(world, client, asked, clients.toSpliced(index, 1));
    });
    return { trace, verdicts, connections: network.asked.length, simulatedMs: clock.nowMs };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error([reason, `what happened in world ${seed}:`, ...trace.lines()].join("\n"), { cause: error });
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

function makeHandler(
  world: World,
  network: Network,
  trace: Trace,
  readings: Map<string, Reading>,
): (request: Request) => Promise<Response> {
  const readers = world.replicas.map((plan) =>
    remoteReader({
      url: `http://${plan.name.toLowerCase()}/api/v1/read`,
      name: plan.name,
      fetch: network.fetchOf(plan),
      collect: plan.isCollected,
      timeouts: { firstByteMs: plan.firstByteMs, idleMs: plan.idleMs, totalMs: plan.totalMs },
    }),
  );
  const spliced = splicedReader(readers, {
    replicaLabels: [world.replicaLabel],
    replicaOrder: world.replicaOrder,
    strategy: world.strategy.strategy,
    partial: world.partial,
    marginMs: world.marginMs,
  });
  /** The spliced reader, whose readings are remembered. */
  const reader: Reader = {
    read: (query, options) => {
      const reading = spliced.read(query, options);
      readings.set(whoAsks(query), reading);
      return reading;
    },
  };
  const { concurrency, queue, queueMs, writeStallMs } = world;
  return readHandler(reader, {
    limits: { concurrency, queue, queueMs, writeStallMs },
    onError: (error, { partial }) => {
      trace.tell("handler", `${partial ? "aborts" : "refuses"}: ${codeOf(error)}`);
    },
    onReport: ({ series, blocksDecoded, blocksPassedOn, replicas }) => {
      const failed = replicas.map(({ name, error, leftOutFrom }) =>
        error === undefined ? name : `${name} ${codeOf(error)} from ${leftOutFrom}`,
      );
      trace.tell(
        "handler",
        `${series} series, ${blocksDecoded} decoded, ${blocksPassedOn} passed on; ${failed.join(", ")}`,
      );
    },
  });
}

function codeOf(error: unknown): string {
  return error instanceof RemoteReadError ? error.code : String(error);
}
