/**
 * Two replicas inside this process: HTTP servers on loopback that answer remote read as a Prometheus does, from series at
 * hand. A streamed answer holds these as chunks of at most 120 samples.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { memoryReader, readHandler, type Reading, remoteReader } from "@promsplice/remote-read";
import { examinePair, type PairReport } from "./examine.ts";
import type { StoredPair } from "./pair.ts";
import { readPair } from "./read-pair.ts";
import { parseSelector } from "./selector.ts";
import { type Choice, DEFAULT_CHOICE } from "./strategies.ts";

/** Servers that are listening. */
export interface EmbeddedReplicas {
  /** One endpoint a replica, such as `http://127.0.0.1:41234/api/v1/read`. */
  readonly urls: readonly string[];
  close(): Promise<void>;
}

/** More than all that there is, and less than the widest range of a query. */
const EVER = { fromMs: 0, toMs: Date.UTC(3000, 0) };

/**
 * Serves the pairs by two replicas, reads one after the other through them, and measures what comes.
 *
 * @param onStart Given each reading before it begins.
 * @param choice By what the answer is spliced.
 */
export async function examineStoredPairs(
  pairs: readonly StoredPair[],
  onStart?: (reading: Reading) => void,
  choice: Choice = DEFAULT_CHOICE,
): Promise<PairReport[]> {
  const replicas = await startReplicas(pairs);
  try {
    const readers = replicas.urls.map((url) => remoteReader({ url }));
    const reports: PairReport[] = [];
    for (const pair of pairs) {
      const matchers = parseSelector(pair.selector);
      const query = { matchers, range: EVER, replicaLabels: ["replica"], choice, seriesMax: Infinity };
      reports.push(examinePair(pair, await readPair(readers, query, onStart)));
    }
    return reports;
  } finally {
    await replicas.close();
  }
}

/** Starts one server a replica, on ports that are free; each serves that replica's series of all pairs. */
export async function startReplicas(pairs: readonly StoredPair[]): Promise<EmbeddedReplicas> {
  const servers = [0, 1].map((replica) => {
    const handle = readHandler(memoryReader(pairs.flatMap(({ servers: series }) => series[replica]!)));
    return serve({ fetch: handle, hostname: "127.0.0.1", port: 0 });
  });
  await Promise.all(servers.map((server) => once(server, "listening")));
  return {
    urls: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/read`),
    close: async () => {
      await Promise.all(servers.map((server) => closeServer(server)));
    },
  };
}

/** Stops to listen, and ends the connections that clients keep open. */
async function closeServer(server: ServerType): Promise<void> {
  const closed = once(server, "close");
  server.close();
  if ("closeAllConnections" in server) {
    server.closeAllConnections();
  }
  await closed;
}
