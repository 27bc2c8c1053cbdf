/** The replicas of a simulated world and what connects them with their readers; remembers all connections, for the oracle. */
import type { Query } from "../../../src/reader.ts";
import type { RemoteReaderOptions } from "../../../src/client.ts";
import { STREAMED } from "../../read-exchange.ts";
import { Connection } from "./connection.ts";
import { readRequest, ReplicaServer } from "./replica-server.ts";
import { FIRST_SCRAPE_MS } from "./scraped-series.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { ReplicaPlan } from "./replica-plan.ts";
import type { World } from "./world.ts";

/** A replica's connection for one query of one client, which is `0/1` for the second query of the first client. */
export interface Asked {
  readonly who: string;
  readonly replica: string;
  /** Whether frames would have been taken for an answer. */
  readonly asksForFrames: boolean;
  readonly connection: Connection;
}

export class Network {
  readonly asked: Asked[] = [];
  /** How many timers of restarts wait. */
  timers = 0;
  readonly #world: World;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  /** By name; undefined while it is down. */
  readonly #servers = new Map<string, ReplicaServer | undefined>();

  constructor(world: World, clock: VirtualClock, trace: Trace) {
    this.#world = world;
    this.#clock = clock;
    this.#trace = trace;
    for (const plan of world.replicas) {
      this.#servers.set(plan.name, new ReplicaServer(plan, plan.before, world.seed));
      if (plan.restart !== undefined) {
        const { atMs, downMs } = plan.restart;
        clock.set(() => this.#stop(plan), atMs);
        clock.set(() => this.#start(plan), atMs + downMs);
        this.timers += 2;
      }
    }
  }

  /** The `fetch` of the reader of one replica. */
  fetchOf(plan: ReplicaPlan): NonNullable<RemoteReaderOptions["fetch"]> {
    return (_, { body, signal }) => {
      const bytes = body as Uint8Array;
      const { queries, acceptedResponseTypes } = readRequest(bytes);
      const who = whoAsks(queries[0]!);
      const attempt = this.connectionsOf(who, plan.name).length;
      const connection = new Connection({
        id: `${who} ${plan.name} ${attempt}`,
        plan,
        clock: this.#clock,
        trace: this.#trace,
        seed: this.#world.seed,
        signal: signal!,
        body: bytes,
        server: () => this.#servers.get(plan.name),
      });
      const asksForFrames = acceptedResponseTypes.includes(STREAMED);
      this.asked.push({ who, replica: plan.name, asksForFrames, connection });
      return connection.open();
    };
  }

  /** The connections to a replica for one query, in the order in which they were made. */
  connectionsOf(who: string, replica: string): Connection[] {
    return this.asked
      .filter((asked) => asked.who === who && asked.replica === replica)
      .map(({ connection }) => connection);
  }

  #stop(plan: ReplicaPlan): void {
    this.timers--;
    this.#trace.tell(plan.name, "stops");
    this.#servers.set(plan.name, undefined);
    for (const { replica, connection } of this.asked) {
      if (replica === plan.name) {
        connection.break();
      }
    }
  }

  #start(plan: ReplicaPlan): void {
    this.timers--;
    this.#trace.tell(plan.name, "starts");
    this.#servers.set(plan.name, new ReplicaServer(plan, plan.after, this.#world.seed));
  }
}

/** Whose query this is, see `drawClient`: widened by a margin of whole seconds or not. */
export function whoAsks({ startMs }: Pick<Query, "startMs">): string {
  const number = (startMs - FIRST_SCRAPE_MS + 3_600_000) % 1000;
  return `${Math.floor(number / 10)}/${number % 10}`;
}
