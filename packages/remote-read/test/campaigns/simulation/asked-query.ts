/** One query of a client and how each replica fared in it: whole, or with what was passed on before it broke off. */
import { formatLabelSet } from "@promsplice/core";

import { compareBytes, dropLabels } from "../../../../core/test/twins/group.ts";
import type { ReadReport } from "../../../src/reader.ts";
import { RemoteReadError } from "../../../src/remote-read-error.ts";
import type { Connection } from "./connection.ts";
import { type Network, whoAsks } from "./network.ts";
import { deliveredFrames, passedOnFrames, spliceAtOnce, windowOf } from "./oracle.ts";
import type { PlainSeries } from "./received-answer.ts";
import { type SentFrame, uniteRows } from "./replica-server.ts";
import type { ClientQueryPlan } from "./client-plan.ts";
import type { ReplicaPlan } from "./replica-plan.ts";
import type { World } from "./world.ts";

/** One replica in the answer to one query. */
export interface Standing {
  readonly plan: ReplicaPlan;
  /** The one that decides: the first, or the second where a server was asked again, for samples. */
  readonly connection: Connection;
  /** When its reader began. */
  readonly askedMs: number;
  /**
   * Whether its reader gave up because the time for a whole answer ran out: that can be at any point, also after all bytes have
   * come, while others are waited for. Then the report says how much had been passed on.
   */
  readonly isOvertime: boolean;
  readonly isComplete: boolean;
  /** At most, where it was overtime. */
  readonly passedOn: readonly SentFrame[];
}

export class AskedQuery {
  readonly plan: ClientQueryPlan;
  readonly report: ReadReport;
  readonly standings: readonly Standing[];
  readonly #world: World;

  /** @param endedMs When the client's answer ended. */
  constructor(world: World, network: Network, plan: ClientQueryPlan, report: ReadReport, endedMs: number) {
    this.#world = world;
    this.plan = plan;
    this.report = report;
    const who = whoAsks(plan);
    this.standings = world.replicas.flatMap((replica) => {
      const connections = network.connectionsOf(who, replica.name);
      const connection = connections.at(-1);
      if (connection === undefined) {
        return [];
      }
      const askedMs = connections[0]!.openedMs;
      const isLate = replica.totalMs > 0 && askedMs + replica.totalMs < endedMs + EPSILON_MS;
      const isOvertime = isLate && saysTimeout(report, replica) && !hasWaitedTooLong(connection, replica);
      return [makeStanding(world, { plan: replica, connection, askedMs, isOvertime })];
    });
  }

  /** When the last of its connections ended. */
  get endedMs(): number {
    return Math.max(...this.standings.map(({ connection }) => connection.endedMs));
  }

  get failed(): readonly Standing[] {
    return this.standings.filter(({ isComplete }) => !isComplete);
  }

  /** Whether there is no answer. */
  get mustFail(): boolean {
    return this.#world.partial === "all" ? this.failed.length > 0 : this.failed.length === this.standings.length;
  }

  /**
   * The answer; more than one where the time for a whole answer ran out and the report does not say whether that was at the
   * beginning or at the end.
   */
  possibleAnswers(): PlainSeries[][] {
    let choices: (readonly SentFrame[])[][] = [[]];
    for (const standing of this.standings) {
      const possible = this.#possiblyPassedOn(standing);
      choices = choices.flatMap((chosen) => possible.map((frames) => [...chosen, frames]));
    }
    return choices.map((passedOn) =>
      spliceAtOnce(this.#world, this.plan, passedOn).filter(({ rows }) => rows.length > 0),
    );
  }

  /** The first series without a replica that broke off, formatted, as the report must name it. */
  leftOutFrom({ passedOn }: Standing): string | undefined {
    const last = this.#keysOf(passedOn).at(-1);
    const all = this.#keysOf(this.standings.flatMap((standing) => standing.passedOn));
    const first = last === undefined ? undefined : all.find((key) => compareBytes(key, last) > 0);
    return first === undefined ? undefined : formatLabelSet(first);
  }

  #possiblyPassedOn(standing: Standing): (readonly SentFrame[])[] {
    const { isOvertime, passedOn, plan } = standing;
    if (!isOvertime) {
      return [passedOn];
    }
    const leftOutFrom = this.report.replicas.find(({ name }) => name === plan.name)?.leftOutFrom;
    if (leftOutFrom === undefined) {
      return [passedOn, []];
    }
    const keys = this.#keysOf(this.standings.flatMap(({ connection }) => connection.frames));
    const first = keys.find((key) => formatLabelSet(key) === leftOutFrom)!;
    return [passedOn.filter((frame) => compareBytes(this.#keyOf(frame), first) < 0)];
  }

  /** The label sets of the spliced series with rows in the window that is read, in order. */
  #keysOf(frames: readonly SentFrame[]): string[][] {
    const window = windowOf(this.#world, this.plan);
    return frames
      .filter(({ chunks }) => uniteRows(chunks, window).length > 0)
      .map((frame) => this.#keyOf(frame))
      .toSorted(compareBytes);
  }

  #keyOf({ labels }: SentFrame): string[] {
    return dropLabels(labels, [this.#world.replicaLabel]);
  }
}

/** Times of the simulation are sums of doubles. */
const EPSILON_MS = 1e-6;

function makeStanding(world: World, base: Omit<Standing, "isComplete" | "passedOn">): Standing {
  const { connection, isOvertime, plan } = base;
  const { frames, state } = connection;
  const isComplete = !isOvertime && (state === "whole" || state === "short");
  if (state === "whole" || state === "short") {
    return { ...base, isComplete, passedOn: state === "whole" ? frames : deliveredFrames(connection) };
  }
  // Of one that was cancelled since nobody wanted more, all that is read comes out.
  const isBroken = state === "failed" || isOvertime || hasWaitedTooLong(connection, plan);
  return { ...base, isComplete, passedOn: isBroken ? passedOnFrames(world, connection, plan.isCollected) : frames };
}

function saysTimeout({ replicas }: ReadReport, plan: ReplicaPlan): boolean {
  const error = replicas.find(({ name }) => name === plan.name)?.error;
  return error instanceof RemoteReadError && error.code === "timeout";
}

/** Whether a reader gave up on a connection, to the moment when it must. */
export function hasWaitedTooLong({ endedMs, hasAnswered, waitingMs }: Connection, plan: ReplicaPlan): boolean {
  const limitMs = hasAnswered ? plan.idleMs : plan.firstByteMs;
  return Math.abs(endedMs - waitingMs - limitMs) < EPSILON_MS;
}
