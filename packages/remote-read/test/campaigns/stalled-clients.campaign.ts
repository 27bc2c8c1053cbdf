/**
 * Clients that stop reading: 64 of them inside answers of 1 GiB, spliced from two replicas by a process with a heap of
 * 256 MiB. Each may cost 4 MiB; the replicas are paused; and a client is dropped when the write stall of 30 s is over. A
 * short run has 24 clients and a write stall of 6 s. It takes some seconds until the system has taken for each client what it
 * takes, some 8 MB.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { requestBody, STREAMED } from "../read-exchange.ts";
import { campaign, type Cases, type Figures } from "./campaign.ts";
import { ClientSocket, wholeRequest } from "./client-socket.ts";
import { CHUNKS_MAX, EndlessReplica, expectWhole, type Load, queryOfLoad } from "./endless-replica.ts";
import { type ServingCounts, ServingProcess } from "./serving-process.ts";

const isFull = process.env["CAMPAIGN_FULL"] !== undefined;
const CLIENTS = isFull ? 64 : 24;
const WRITE_STALL_MS = isFull ? 30_000 : 6000;
/** Those before the first measurement: code is compiled by them, and the heap gets the room that it needs. */
const WARM_UP_CLIENTS = 16;
const HEAP_MEBIBYTES = 256;
const CLIENT_MEBIBYTES_MAX = 4;
/** Few clients may take more: of the memory that does not depend on how many there are, each has a greater share. */
const FIXED_MEBIBYTES_MAX = isFull ? 0 : 32;
/** What may be alive afterwards that was not before, of all clients together. */
const KEPT_MEBIBYTES_MAX = 8;
/** How much later than that a client may be dropped: the process has others to serve, and garbage to collect. */
const LATE_MS = 3000;
/** How long nothing must be made until we say that the replicas are paused. */
const PAUSED_MS = 1000;
/** A client stalls after it has read so much at most. */
const READ_BYTES_MAX = 256 * 1024;

const GIBIBYTE: Load = { series: 17_000, chunks: CHUNKS_MAX, waitMs: 0 };
const GIBIBYTE_BYTES = 2 ** 30;
const SMALL: Load = { series: 20, chunks: 10, waitMs: 0 };

campaign("clients that stall", { count: 3, of: `times ${CLIENTS} clients`, seconds: 1 }, stallAll);

async function stallAll(seeds: Cases): Promise<Figures> {
  const replicas = [await EndlessReplica.start("a", 0), await EndlessReplica.start("b", 2000)];
  const urls = replicas.map(({ url }) => url);
  const limits = { concurrency: CLIENTS, queue: 0, writeStallMs: WRITE_STALL_MS };
  const serving = await ServingProcess.start(urls, limits, HEAP_MEBIBYTES);
  const bytesMade = (): number => replicas.reduce((sum, replica) => sum + replica.bytesMade, 0);
  const clientMebibytes: number[] = [];
  const keptMebibytes: number[] = [];
  const droppedMs: number[] = [];
  const frameBytes = replicas.map((replica) => replica.frameBytes(GIBIBYTE));
  expect(Math.max(...frameBytes)).toBeLessThanOrEqual(64 * 1024);
  expect(Math.min(...frameBytes) * GIBIBYTE.series).toBeGreaterThanOrEqual(GIBIBYTE_BYTES);
  try {
    await warmUp(serving);
    const idle = await serving.look();
    const idleMebibytes = serving.residentMebibytes();
    for (const seed of seeds) {
      const clients = await stallClients(serving, CLIENTS, seed);
      clientMebibytes.push(await lookUntilPaused(serving, idleMebibytes, bytesMade));
      expect(clientMebibytes.at(-1)).toBeLessThanOrEqual(CLIENT_MEBIBYTES_MAX + FIXED_MEBIBYTES_MAX / CLIENTS);

      const bytesPaused = bytesMade();
      const dropped = await untilDropped(serving, droppedMs.length + CLIENTS);
      expect(bytesMade(), "bytes made by paused replicas").toBe(bytesPaused);
      droppedMs.push(...dropped.stallsMs.slice(droppedMs.length));
      expect(await finish(clients), "bytes of the longest answer").toBeLessThan(GIBIBYTE_BYTES);

      expectWhole(await serving.ask(requestBody([queryOfLoad(SMALL)], [STREAMED])), SMALL);
      const after = await serving.look();
      keptMebibytes.push(after.liveMebibytes - idle.liveMebibytes);
      expect(keptMebibytes.at(-1)).toBeLessThanOrEqual(KEPT_MEBIBYTES_MAX);
      expect([after.unhandled, after.readings.started - after.readings.ended]).toEqual([[], 0]);
    }
  } finally {
    await serving.stop();
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
  expect(Math.min(...droppedMs)).toBeGreaterThan(WRITE_STALL_MS - 50);
  expect(Math.max(...droppedMs)).toBeLessThan(WRITE_STALL_MS + LATE_MS);
  return {
    "MiB a client, at most": Math.max(...clientMebibytes),
    "MiB kept afterwards by all, at most": Math.max(...keptMebibytes),
    "dropped after, in ms": `${Math.round(Math.min(...droppedMs))} to ${Math.round(Math.max(...droppedMs))}`,
  };
}

/** Some clients of the same kind, which leave, and one that reads all. */
async function warmUp(serving: ServingProcess): Promise<void> {
  for (const { socket, closed } of await stallClients(serving, WARM_UP_CLIENTS, 0)) {
    socket.destroy();
    await closed;
  }
  expectWhole(await serving.ask(requestBody([queryOfLoad(SMALL)], [STREAMED])), SMALL);
}

/** Clients that ask for 1 GiB, have read a little of it each, and stall. */
function stallClients({ port }: ServingProcess, count: number, seed: number): Promise<ClientSocket[]> {
  const random = seededRandom(seed);
  const request = wholeRequest(requestBody([queryOfLoad(GIBIBYTE)], [STREAMED]));
  return Promise.all(
    Array.from({ length: count }, async () => {
      const stopBytes = random() * READ_BYTES_MAX;
      const client = new ClientSocket(port);
      await client.send(request);
      await client.readUntil(stopBytes);
      client.stall();
      return client;
    }),
  );
}

/**
 * Waits until the replicas make nothing more: the system has taken for each client what it takes. Gives the most memory that
 * the process held meanwhile for each client, with as many connected as ever were. On a slow machine the first have been
 * dropped when the answer of the last one stops.
 */
async function lookUntilPaused(
  serving: ServingProcess,
  idleMebibytes: number,
  bytesMade: () => number,
): Promise<number> {
  const looks: { readonly connections: number; readonly mebibytes: number }[] = [];
  for (let before = -1; before < bytesMade();) {
    before = bytesMade();
    const { connections } = await serving.look();
    looks.push({ connections, mebibytes: serving.residentMebibytes() - idleMebibytes });
    await sleep(PAUSED_MS);
  }
  const clients = Math.max(...looks.map(({ connections }) => connections));
  expect(clients, "clients connected at the same time").toBeGreaterThanOrEqual(0.75 * CLIENTS);
  const held = looks.filter(({ connections }) => connections === clients).map(({ mebibytes }) => mebibytes);
  return Math.max(...held) / clients;
}

/** Waits until so many clients in all have been dropped, and expects that none is connected then. */
async function untilDropped(serving: ServingProcess, count: number): Promise<ServingCounts> {
  const deadlineMs = performance.now() + WRITE_STALL_MS + LATE_MS;
  let counts = await serving.look();
  while (counts.stallsMs.length < count && performance.now() < deadlineMs) {
    await sleep(100);
    counts = await serving.look();
  }
  expect([counts.connections, counts.stallsMs.length]).toEqual([0, count]);
  return counts;
}

/** The clients read on, to where their connections were broken: how much the one that got most has got, in bytes. */
async function finish(clients: readonly ClientSocket[]): Promise<number> {
  for (const client of clients) {
    client.socket.resume();
    await client.closed;
    expect(client.status).toBe(200);
  }
  return Math.max(...clients.map(({ bytes }) => bytes));
}
