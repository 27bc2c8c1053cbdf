/**
 * Clients that leave, over real connections, at any point of an exchange, 32 at a time: before the head of their request is
 * whole, in its body, while they wait for a place or for the replicas, in the body of the answer, and behind it. Afterwards
 * the serving process has as many descriptors open as before, all places are free, and nothing failed that nobody handled.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { requestBody, STREAMED } from "../read-exchange.ts";
import { campaign } from "./campaign.ts";
import { ClientSocket, requestHead, wholeRequest } from "./client-socket.ts";
import { EndlessReplica, expectWhole, type Load, queryOfLoad } from "./endless-replica.ts";
import { type ServingCounts, ServingProcess } from "./serving-process.ts";

const AT_ONCE = 32;
/** As many as are answered at the same time by default. */
const PLACES = 10;
const HEAP_MEBIBYTES = 256;
/** How long sockets may stay open that nobody uses: those to replicas do for a second. */
const SETTLE_MS = 20_000;

const SMALL: Load = { series: 20, chunks: 2, waitMs: 0 };
/** Longer than what the system takes for a client that does not read. */
const LONG: Load = { series: 5000, chunks: 60, waitMs: 0 };

/** Where a client leaves, by name. */
type Leaving = (client: ClientSocket, random: () => number) => Promise<void>;

const LEAVINGS: Readonly<Record<string, Leaving>> = {
  "without a word": async (client) => client.connected(),
  "in the head of the request": (client, random) => client.send(cut(requestHead(100), random)),
  "in the body of the request": (client, random) => client.send(cut(requestOf(SMALL), random, requestHead(100).length)),
  "behind the request": (client) => client.send(requestOf(SMALL)),
  "while the replicas wait": async (client, random) => {
    await client.send(requestOf({ ...SMALL, waitMs: 1 + Math.floor(random() * 40) }));
    await sleep(random() * 40);
  },
  "at the head of the answer": async (client) => {
    await client.send(requestOf(SMALL));
    await client.readUntil(1);
  },
  "in the answer": async (client, random) => {
    await client.send(requestOf(LONG));
    await client.readUntil(random() ** 4 * 2 ** 21);
  },
  "in the answer, not reading": async (client, random) => {
    await client.send(requestOf(LONG));
    await client.readUntil(random() * 2 ** 16);
    client.stall();
    await sleep(random() * 20);
  },
  "behind the answer": async (client) => {
    await client.send(requestOf(SMALL));
    await client.readAnswers(1);
  },
  "in the request after the first": async (client, random) => {
    await client.send(requestOf(SMALL));
    await client.readAnswers(1);
    await client.send(cut(requestOf(SMALL), random));
  },
};
