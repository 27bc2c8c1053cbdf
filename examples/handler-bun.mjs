/**
 * Serves a pair as one, under Bun. Let a Prometheus read http://localhost:9201/api/v1/read.
 *
 *     bun handler-bun.mjs http://prom-a:9090 http://prom-b:9090
 */
import { fill } from "@promsplice/core";
import { readHandler, remoteReader, splicedReader } from "@promsplice/remote-read";

const reader = splicedReader(
  Bun.argv.slice(2).map((url) => remoteReader({ url: `${url}/api/v1/read` })),
  { replicaLabels: ["replica"], strategy: fill() },
);
const handle = readHandler(reader);

const server = Bun.serve({
  port: Number(Bun.env.PORT ?? 9201),
  // Seconds. Bun closes a connection on which nothing has moved for 10, and a replica may take longer to begin.
  idleTimeout: 120,
  routes: {
    "/api/v1/read": handle,
  },
});
console.log(`listening on port ${server.port}`);
