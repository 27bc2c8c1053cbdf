/**
 * Clients that stop reading: 64 of them inside answers of 1 GiB, spliced from two replicas by a process with a heap of
 * 256 MiB. Each may cost 4 MiB; the replicas are paused; and a client is dropped when the write stall is over, here after 5 s
 * in place of 30.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "vitest";

import { seededRandom } from "../../../core/test/random.ts";
import { requestBody, STREAMED } from "../read-exchange.ts";
import { campaign } from "./campaign.ts";
import { ClientSocket, wholeRequest } from "./client-socket.ts";
import { CHUNKS_MAX, EndlessReplica, type Load, queryOfLoad } from "./endless-replica.ts";
import { ServingProcess } from "./serving-process.ts";

const CLIENTS = 64;
const WRITE_STALL_MS = 5000;
/** How much later than that a client may be dropped: its process collects garbage and serves 63 others. */
const LATE_MS = 1500;
const HEAP_MEBIBYTES = 256;
const MEBIBYTE = 2 ** 20;
const BYTES_A_CLIENT_MAX = 4 * MEBIBYTE;
const GIBIBYTE: Load = { series: 17_500, chunks: CHUNKS_MAX, waitMs: 0 };

campaign("clients that stall", { count: 5, of: "times 64 clients", seconds: 1 }, async (seeds) => {
  const replicas = [await EndlessReplica.start("a", 0), await EndlessReplica.start("b", 2000)];
  const limits = { concurrency: CLIENTS, writeStallMs: WRITE_STALL_MS };
  const urls = replicas.map(({ url }) => url);
  const serving = await ServingProcess.start(urls, limits, HEAP_MEBIBYTES);
  const figures = { mebibytesMax: 0, dropFirstMs: Infinity, dropLastMs: 0 };
  try {
    await serving.look();
    console.log("fresh", serving.residentBytes() / MEBIBYTE);
    // As many clients as later, that go on and leave: code is compiled, and the heap has grown to what it needs.
    await Promise.all((await openClients(serving, 0)).map(leave));
    for (const seed of seeds) {
      await serving.look();
      const idleBytes = serving.residentBytes();
      console.log("idle", idleBytes / MEBIBYTE);
      const clients = await openClients(serving, seed);
      console.log("open", clients.map(c => c.bytes / MEBIBYTE | 0).join(" "));
      for (let time = 0; time < 4; time++) {
        await sleep(700);
        const t = performance.now();
        const counts = await serving.look();
        console.log("stalled", (serving.residentBytes() - idleBytes) / MEBIBYTE / CLIENTS, replicas.map(r => r.bytesMade / MEBIBYTE | 0), counts.stallsMs.length, performance.now() - t);
      }
      await sleep(6000);
        const counts = await serving.look();
        console.log("after", (serving.residentBytes() - idleBytes) / MEBIBYTE / CLIENTS, replicas.map(r => r.bytesMade / MEBIBYTE | 0), counts);
      await Promise.all(clients.map(leave));
    }
  } finally {
    await serving.stop();
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
  return figures;
});

/** Clients that have read up to 1 MiB each of their answers, and now stall. */
async function openClients({ port }: ServingProcess, seed: number): Promise<ClientSocket[]> {
  const random = seededRandom(seed);
  const request = wholeRequest(requestBody([queryOfLoad(GIBIBYTE)], [STREAMED]));
  return Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const stopBytes = random() * MEBIBYTE;
      const client = new ClientSocket(port);
      await client.send(request);
      await client.readUntil(stopBytes);
      client.stall();
      return client;
    }),
  );
}

async function leave(client: ClientSocket): Promise<void> {
  client.socket.destroy();
  await client.closed;
}
