/**
 * Serves a pair as one, as a route of a Hono application. Let a Prometheus read http://localhost:9201/api/v1/read.
 *
 *     node handler-hono.mjs http://prom-a:9090 http://prom-b:9090
 */
import { serve } from "@hono/node-server";
import { fill } from "@promsplice/core";
import { readHandler, remoteReader, splicedReader } from "@promsplice/remote-read";
import { Hono } from "hono";

const reader = splicedReader(
  process.argv.slice(2).map((url) => remoteReader({ url: `${url}/api/v1/read` })),
  { replicaLabels: ["replica"], strategy: fill() },
);
const handle = readHandler(reader);

const app = new Hono();
app.post("/api/v1/read", (context) => handle(context.req.raw));

const port = Number(process.env.PORT ?? 9201);
serve({ fetch: app.fetch, port }, () => console.log(`listening on port ${port}`));
