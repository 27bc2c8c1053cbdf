/**
 * Reads a metric from both replicas of a pair and prints it as one series.
 *
 *     node node-client.mjs up http://prom-a:9090 http://prom-b:9090
 */
import { fill, formatLabelSet } from "@promsplice/core";
import { remoteReader, splicedReader } from "@promsplice/remote-read";

const [metric, ...replicas] = process.argv.slice(2);
const HOUR_MS = 3_600_000;

const reader = splicedReader(
  replicas.map((url) => remoteReader({ url: `${url}/api/v1/read` })),
  {
    replicaLabels: ["replica"],
    strategy: fill(),
    // One replica that fails is no error: the answer is the other's. Say so.
    onReplicaFailure: ({ name, error }) => console.error(`without ${name}: ${error?.message}`),
  },
);

const reading = reader.read({
  startMs: Date.now() - HOUR_MS,
  endMs: Date.now(),
  matchers: [{ type: "=", name: "__name__", value: metric }],
});
for await (const { labels, blocks } of reading) {
  console.log(formatLabelSet(labels));
  for (const block of blocks) {
    const timestamps = block.timestamps();
    // A stale marker says that the series ends here. It is a NaN, and not to be shown as a value.
    const stale = new Set(block.staleRows());
    for (const [row, value] of block.values().entries()) {
      console.log(`  ${new Date(timestamps[row]).toISOString()}  ${stale.has(row) ? "stale" : value}`);
    }
  }
}
