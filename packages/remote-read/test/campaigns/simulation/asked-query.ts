/** One query of a client and how each replica fared in it: whole, or with what was passed on before it broke off. */
import { formatLabelSet } from "@promsplice/core";

import { compareBytes, dropLabels } from "../../../../core/test/twins/group.ts";
import type { ReadReport } from "../../../src/reader.ts";
import type { Connection } from "./connection.ts";
import type { Network } from "./network.ts";
import { deliveredFrames, passedOnFrames, spliceAtOnce, windowOf } from "./oracle.ts";
import type { PlainSeries } from "./received-answer.ts";
import { type SentFrame, uniteRows } from "./replica-server.ts";
import type { ClientQueryPlan, ReplicaPlan, World } from "./world.ts";

/** One replica in the answer to one query. */
export interface Standing {
  readonly plan: ReplicaPlan;
  /** The one that decides: the first, or the second where a server was asked again, for samples. */
  readonly connection: Connection;
  /** When its reader began. */
  readonly askedMs: number;
  readonly isComplete: boolean;
  readonly passedOn: readonly SentFrame[];
}

export class AskedQuery {
  readonly plan: ClientQueryPlan;
  readonly report: ReadReport;
  readonly standings: readonly Standing[];
  readonly #world: World;

  constructor(world: World, network: Network, who: string, plan: ClientQueryPlan, report: ReadReport) {
    this.#world = world;
    this.plan = plan;
    this.report = report;
    this.standings = world.replicas.flatMap((replica) => {
      const connections = network.connectionsOf(who, replica.name);
      const connection = connections.at(-1);
      return connection === undefined ? [] : [makeStanding(world, replica, connection, connections[0]!.openedMs)];
    });
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
    const { passedOn, plan } = standing;
    if (!isOvertime(standing)) {
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

/** Whether a reader gave up because the time for a whole answer ran out: at any point, not only where it waits for bytes. */
export function isOvertime({ connection, plan, askedMs }: Standing): boolean {
  return plan.totalMs > 0 && Math.abs(connection.endedMs - askedMs - plan.totalMs) < 1e-6;
}

function makeStanding(world: World, plan: ReplicaPlan, connection: Connection, askedMs: number): Standing {
  const { frames, state } = connection;
  const standing = { plan, connection, askedMs, isComplete: state === "whole" || state === "short" };
  if (standing.isComplete) {
    return { ...standing, passedOn: state === "whole" ? frames : deliveredFrames(connection) };
  }
  // Of one that was cancelled since nobody wanted more, all that is read comes out.
  const isBroken = state === "failed" || hasTimedOut({ ...standing, passedOn: [] });
  return { ...standing, passedOn: isBroken ? passedOnFrames(world, connection, plan.isCollected) : frames };
}

/** Whether a reader gave up on a replica, and was right to. */
export function hasTimedOut(standing: Standing): boolean {
  const { connection, plan } = standing;
  const limitMs = connection.hasAnswered ? plan.idleMs : plan.firstByteMs;
  return isOvertime(standing) || Math.abs(connection.endedMs - connection.waitingMs - limitMs) < 1e-6;
}
