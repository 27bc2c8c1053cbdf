/**
 * Clients that leave, over real connections, at any point of an exchange, 32 at a time: before the head of their request is
 * whole, in its body, while they wait for a place or for the replicas, in the body of the answer, and behind it. Afterwards
 * the serving process has as many descriptors open as before, all places are free, and nothing failed that nobody handled.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { requestBody, STREAMED } from "../read-exchange.ts";
import { campaign, type Cases, type Figures } from "./campaign.ts";
import { ClientSocket, requestHead, wholeRequest } from "./client-socket.ts";
import { EndlessReplica, expectWhole, type Load, queryOfLoad } from "./endless-replica.ts";
import { ServingProcess } from "./serving-process.ts";

const AT_ONCE = 32;
/** As many as are answered at the same time by default. */
const PLACES = 10;
const HEAP_MEBIBYTES = 256;
/** Connections to replicas stay open for some seconds when nobody uses them. */
const SETTLE_MS = 30_000;

const SMALL: Load = { series: 20, chunks: 2, waitMs: 0 };
/** Longer than what the system takes for a client that does not read. */
const LONG: Load = { series: 5000, chunks: 60, waitMs: 0 };

/** Where a client leaves, by name. */
type Leaving = (client: ClientSocket, random: () => number) => Promise<void>;

const LEAVINGS: readonly (readonly [string, Leaving])[] = Object.entries({
  "without a word": (client) => client.connect(),
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
    await readWhole(client);
  },
  "in the request after the first": async (client, random) => {
    await client.send(requestOf(SMALL));
    await readWhole(client);
    await client.send(cut(requestOf(SMALL), random));
  },
} satisfies Record<string, Leaving>);

campaign("clients that leave", { count: 10_000, of: "disconnects", seconds: 8 }, leaveAll);

async function leaveAll(seeds: Cases): Promise<Figures> {
  const replicas = [await EndlessReplica.start("a", 0), await EndlessReplica.start("b", 2000)];
  const urls = replicas.map(({ url }) => url);
  const serving = await ServingProcess.start(urls, { concurrency: PLACES }, HEAP_MEBIBYTES);
  try {
    const before = serving.descriptors();
    const leaveOneByOne = async (): Promise<void> => {
      for (const seed of seeds) {
        await leave(serving.port, seed);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, leaveOneByOne));
    await expectPlacesFree(serving);
    const after = await descriptorsAfter(serving, before);
    const { connections, errors, readings, unhandled } = await serving.look();
    expect(after).toBe(before);
    expect(unhandled).toEqual([]);
    expect([connections, errors, readings.started - readings.ended]).toEqual([0, [], 0]);
    return {
      "descriptors before": before,
      "descriptors after": after,
      "readings begun": readings.started,
      unhandled: unhandled.length,
    };
  } finally {
    await serving.stop();
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
}

async function readWhole(client: ClientSocket): Promise<void> {
  await client.readWhole();
  expect(client.status).toBe(200);
}

/** One client comes and leaves: closes its connection in good order, or breaks it. */
async function leave(port: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const [, goThere] = LEAVINGS[Math.floor(random() * LEAVINGS.length)]!;
  const isReset = random() < 0.5;
  const client = new ClientSocket(port);
  await goThere(client, random);
  if (isReset) {
    client.socket.resetAndDestroy();
  } else {
    client.socket.destroy();
  }
  await client.closed;
}

/** How many descriptors are open: as many as are wanted, or what there are when the time is over. */
async function descriptorsAfter(serving: ServingProcess, wanted: number): Promise<number> {
  const deadlineMs = performance.now() + SETTLE_MS;
  while (serving.descriptors() !== wanted && performance.now() < deadlineMs) {
    await sleep(50);
  }
  return serving.descriptors();
}

/** All places are free: so many clients are answered at the same time, one more waits, and is answered when one leaves. */
async function expectPlacesFree(serving: ServingProcess): Promise<void> {
  const clients = Array.from({ length: PLACES }, () => new ClientSocket(serving.port));
  for (const client of clients) {
    await client.send(requestOf(LONG));
    await client.readUntil(1);
    client.stall();
    expect(client.status).toBe(200);
  }
  const next = new ClientSocket(serving.port);
  await next.send(requestOf(SMALL));
  await Promise.race([next.readUntil(1), sleep(200)]);
  expect(next.bytes).toBe(0);
  for (const client of clients) {
    client.socket.destroy();
  }
  await readWhole(next);
  next.socket.destroy();
  expectWhole(await serving.ask(requestBody([queryOfLoad(SMALL)], [STREAMED])), SMALL);
}

function requestOf(load: Load): Uint8Array {
  return wholeRequest(requestBody([queryOfLoad(load)], [STREAMED]));
}

/** The beginning of these bytes, at least so many and not all. */
function cut(bytes: Uint8Array, random: () => number, least: number = 0): Uint8Array {
  return bytes.subarray(0, least + Math.floor(random() * (bytes.length - least)));
}
