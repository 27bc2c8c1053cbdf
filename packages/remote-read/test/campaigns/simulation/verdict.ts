/**
 * Whether what a client got is what it must have got, given what went wrong on the way:
 *
 *     enough replicas whole          ──▶ 200, and the very answer of the oracle, to the bit
 *     too few of them                ──▶ a status, or a body that breaks off; what came before is the beginning of the answer
 *     the client left                ──▶ what came before is the beginning of the answer
 *     the client took nothing        ──▶ a body that breaks off
 *     no place                       ──▶ 503
 */
import { expect } from "vitest";

import type { AskedQuery } from "./asked-query.ts";
import { SAMPLES_TYPE } from "../../read-exchange.ts";
import { type PlainSeries, readReceived } from "./received-answer.ts";
import { checkReport } from "./report-check.ts";
import type { SimulatedClient } from "./simulated-client.ts";
import type { World } from "./world.ts";

/** How an answer came out, for the figures. */
export type Verdict = "whole" | "partial" | "failed" | "left" | "stalled" | "busy";

/** @param asked The queries that replicas were asked for, in order. */
export function judge(
  world: World,
  client: SimulatedClient,
  asked: readonly AskedQuery[],
  others: readonly SimulatedClient[],
): Verdict {
  expect(client.end, "the client waits for ever").not.toBe("open");
  for (const { endedMs, standings } of asked) {
    expect(endedMs, "when the last replica was let go").toBeLessThanOrEqual(client.endedMs);
    for (const { askedMs, connection, plan } of standings.filter(({ plan: { totalMs } }) => totalMs > 0)) {
      expect(connection.endedMs - askedMs, `how long ${plan.name} took`).toBeLessThan(plan.totalMs + 0.001);
    }
  }
  const isBusy = checkAdmission(world, client, asked, others);
  if (isBusy) {
    expect(asked.length, "queries of a client that had no place").toBe(0);
    return "busy";
  }
  if (client.status === 200 && client.end === "whole") {
    return checkWhole(world, client, asked);
  }
  checkBeginning(world, client, asked);
  if (client.end === "left") {
    return "left";
  }
  if (client.hasStalled && client.end === "aborted") {
    return "stalled";
  }
  expect(
    asked.some(({ mustFail }) => mustFail),
    `an answer that failed: ${client.status} ${client.end}`,
  ).toBe(true);
  checkFailure(world, client, asked.at(-1)!);
  return "failed";
}

function checkWhole(world: World, client: SimulatedClient, asked: readonly AskedQuery[]): Verdict {
  const { queries } = client.plan;
  expect(asked.length, "queries that replicas were asked for").toBe(queries.length);
  if (client.body.length > 0) {
    expect(client.hasStalled, "a client that took nothing for too long").toBe(false);
  }
  const received = receive(world, client);
  for (const [index, query] of asked.entries()) {
    expect(query.standings.length).toBe(world.replicas.length);
    expect(query.mustFail, "a whole answer, though too few replicas gave theirs").toBe(false);
    for (const { connection } of query.standings.filter(({ connection: { state } }) => state === "whole")) {
      expect(connection.ends.length).toBe(connection.isStreamed ? connection.frames.length : 1);
    }
    expectOneOf(received[index]!, query.possibleAnswers());
    checkReport(query, received[index]!.length);
  }
  checkPartialHeader(client, asked);
  return asked.some(({ failed }) => failed.length > 0) ? "partial" : "whole";
}

/** What came of a body that broke off, or that the client has left: whole frames, the first ones of the answer. */
function checkBeginning(world: World, client: SimulatedClient, asked: readonly AskedQuery[]): void {
  if (client.status !== 200 || client.body.length === 0) {
    return;
  }
  if (client.headers.get("Content-Type") === SAMPLES_TYPE) {
    // One message, which the server has no reason to break off once it is made; a client may leave before its end.
    return;
  }
  const received = receive(world, client);
  const possible = asked.map((query) => query.possibleAnswers());
  for (const [index, series] of received.entries()) {
    const isLast = received.slice(index + 1).every((later) => later.length === 0);
    if (series.length > 0 || !isLast) {
      expectOneOf(
        series,
        possible[index]!.map((answer) => (isLast ? answer.slice(0, series.length) : answer)),
      );
    }
  }
}

function checkFailure(world: World, client: SimulatedClient, query: AskedQuery): void {
  expect(query.mustFail, "the query after which no other was asked").toBe(true);
  if (client.end === "aborted") {
    expect(client.status).toBe(200);
    return;
  }
  expect(client.status).toBe(500);
  const text = new TextDecoder().decode(client.body);
  const failed = query.failed.filter(({ plan }) => text.includes(`${plan.name}: `));
  expect(text).toContain(`${failed.length} of ${world.replicas.length} replicas failed`);
  expect(failed.length).toBeGreaterThanOrEqual(world.partial === "all" ? 1 : world.replicas.length);
}

/** The header names replicas that have failed: of an answer of samples all, of frames those that failed before the first. */
function checkPartialHeader(client: SimulatedClient, asked: readonly AskedQuery[]): void {
  const named = (client.headers.get("X-Promsplice-Partial") ?? "").split(", ").filter(Boolean);
  const failed = asked.flatMap((query) => query.failed);
  const isSamples = client.headers.get("Content-Type") === SAMPLES_TYPE;
  const certain = isSamples
    ? failed
    : asked[0]!.failed.filter(
        ({ connection, passedOn }) => passedOn.length === 0 && connection.endedMs < client.answeredMs,
      );
  expect(failed.map(({ plan }) => plan.name)).toEqual(expect.arrayContaining(named));
  expect(named, "replicas named in the header").toEqual(expect.arrayContaining(certain.map(({ plan }) => plan.name)));
  expect(new Set(named).size).toBe(named.length);
}

/** Whether the client was refused for want of a place; checks that it was if and only if there was none. */
function checkAdmission(
  world: World,
  client: SimulatedClient,
  asked: readonly AskedQuery[],
  others: readonly SimulatedClient[],
): boolean {
  const { concurrency, queue, queueMs } = world;
  const isRefused = client.status === 503;
  const waitedMs = (asked[0]?.standings[0]?.askedMs ?? client.askedMs) - client.askedMs;
  expect(waitedMs, "how long it waited for a place").toBeLessThanOrEqual(queueMs);
  // When a client that takes nothing is put out does not show at the client.
  if (client.end !== "left" && ![client, ...others].some(({ hasStalled }) => hasStalled)) {
    const inside = others.filter((other) => other.askedMs < client.askedMs && leftMs(other) > client.askedMs).length;
    if (concurrency === 0 || inside < concurrency) {
      expect([isRefused, waitedMs], "whether and how long it waited for a place that was free").toEqual([false, 0]);
    } else if (inside >= concurrency + queue) {
      expect(isRefused, "let in though there was no place").toBe(true);
    } else if (isRefused) {
      expect(client.answeredMs - client.askedMs).toBeCloseTo(queueMs, 6);
    }
  }
  if (isRefused) {
    expect(client.headers.get("Retry-After")).toBe(String(Math.max(1, Math.ceil(queueMs / 1000))));
  }
  return isRefused;
}

/** When a client had no place any more: with its answer where that has no body, else with the end of that. */
function leftMs({ answeredMs, body, end, endedMs, status }: SimulatedClient): number {
  const hasBody = status === 200 && !(end === "whole" && body.length === 0);
  return hasBody ? endedMs : Math.min(answeredMs, endedMs);
}

function receive(world: World, client: SimulatedClient): PlainSeries[][] {
  const hasHistograms = world.replicas.some(({ before }) => before.some(({ kind }) => kind === "histogram"));
  const answer = { status: 200, contentType: client.headers.get("Content-Type"), body: client.body };
  return readReceived(answer, client.plan.queries, hasHistograms);
}

function expectOneOf(received: readonly PlainSeries[], possible: readonly (readonly PlainSeries[])[]): void {
  const text = JSON.stringify(received);
  if (!possible.some((answer) => JSON.stringify(answer) === text)) {
    // Fails, and shows where.
    expect(received).toEqual(possible[0]);
  }
}
