/**
 * Serves replicas, spliced, as a process of its own: forked with `--expose-gc` and as argument
 * `{ "replicas": [urls], "limits": ReadHandlerLimits }`; the built package. Sends the port that it listens on, and answers
 * each message, after it has collected all garbage, with what it has counted so far.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { serve } from "@hono/node-server";
import { penalty } from "@promsplice/core";
import { readHandler, remoteReader, splicedReader } from "@promsplice/remote-read";

const { replicas, limits } = JSON.parse(process.argv[2]);
/** Failures that nobody handled, as texts. */
const unhandled = [];
/** Errors that clients got to see, as texts. */
const errors = [];
/** For each client that was dropped because it took nothing: how long after its last series was made, in ms. */
const stallsMs = [];
const readings = { started: 0, ended: 0 };

process.on("unhandledRejection", (reason) => unhandled.push(`rejection: ${reason?.stack ?? reason}`));
process.on("uncaughtException", (error) => unhandled.push(`exception: ${error.stack}`));
process.on("disconnect", () => process.exit());
// The server writes the errors of bodies there, those of clients that stall too.
console.error = () => {};

/** The same reader, counted. */
function watch(reader) {
  return {
    read(query, options) {
      const reading = reader.read(query, options);
      let madeMs = 0;
      options.signal.addEventListener("abort", () => {
        if (options.signal.reason?.code === "timeout") {
          stallsMs.push(performance.now() - madeMs);
        }
      });
      return {
        report: () => reading.report(),
        async *[Symbol.asyncIterator]() {
          readings.started++;
          try {
            for await (const series of reading) {
              madeMs = performance.now();
              yield series;
            }
          } finally {
            readings.ended++;
          }
        },
      };
    },
  };
}

const readers = replicas.map((url) => remoteReader({ url }));
const handler = readHandler(watch(splicedReader(readers, { replicaLabels: ["replica"], strategy: penalty() })), {
  limits,
  onError: (error, { partial }) => errors.push(`${partial ? "body" : "status"}: ${error.message}`),
});
const server = serve({ fetch: handler, hostname: "127.0.0.1", port: 0 }, ({ port }) => process.send({ port }));

process.on("message", async () => {
  // What the first collection finishes off is freed by the second.
  for (let time = 0; time < 2; time++) {
    globalThis.gc();
    await sleep(50);
  }
  const connections = await new Promise((resolve) => {
    server.getConnections((_, count) => resolve(count));
  });
  const { heapUsed, external } = process.memoryUsage();
  process.send({ connections, errors, liveMebibytes: (heapUsed + external) / 2 ** 20, readings, stallsMs, unhandled });
});
