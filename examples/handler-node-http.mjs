/**
 * Serves a pair as one, under Node's own HTTP server. Let a Prometheus read http://localhost:9201/api/v1/read.
 *
 *     node handler-node-http.mjs http://prom-a:9090 http://prom-b:9090
 */
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { fill } from "@promsplice/core";
import { readHandler, remoteReader, splicedReader } from "@promsplice/remote-read";

const reader = splicedReader(
  process.argv.slice(2).map((url) => remoteReader({ url: `${url}/api/v1/read` })),
  { replicaLabels: ["replica"], strategy: fill() },
);
const handle = readHandler(reader);
const port = Number(process.env.PORT ?? 9201);

// Node speaks of streams, the handler of Request and Response. The listener goes between them: what the client does not take
// is not read from the replicas, and a client that leaves ends the reading.
const listener = getRequestListener((request) =>
  new URL(request.url).pathname === "/api/v1/read" ? handle(request) : new Response("not found\n", { status: 404 }),
);
createServer(listener).listen(port, () => console.log(`listening on port ${port}`));
