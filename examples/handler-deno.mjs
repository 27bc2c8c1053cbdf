/**
 * Serves a pair as one, under Deno. Let a Prometheus read http://localhost:9201/api/v1/read.
 *
 *     deno run --allow-net --allow-env=PORT handler-deno.mjs http://prom-a:9090 http://prom-b:9090
 */
import { fill } from "@promsplice/core";
import { readHandler, remoteReader, splicedReader } from "@promsplice/remote-read";

const reader = splicedReader(
  Deno.args.map((url) => remoteReader({ url: `${url}/api/v1/read` })),
  { replicaLabels: ["replica"], strategy: fill() },
);
const handle = readHandler(reader);

// At the first request Deno tells that a request's signal is aborted after whole answers, too. The handler does not mind.
Deno.serve({ port: Number(Deno.env.get("PORT") ?? 9201) }, (request) =>
  new URL(request.url).pathname === "/api/v1/read" ? handle(request) : new Response("not found\n", { status: 404 }),
);
