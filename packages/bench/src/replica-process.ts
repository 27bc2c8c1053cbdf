/**
 * A replica as a process of its own: a day of series, encoded beforehand, behind our handler over HTTP. Started by
 * `serving.ts` with its name, the number of series, of chunks of each, and of series in the group "few"; sends the port that
 * it listens on.
 */
import { memoryReader, readHandler } from "@promsplice/remote-read";
import { makeSentSeries, REPLICA_NAMES, toSeries } from "./answer-fixtures.ts";
import { listen } from "./child-server.ts";
import { USUAL_SHAPE } from "./wire-cases.ts";

const [name, ...counts] = process.argv.slice(2);
const [seriesCount, chunkCount, fewCount] = counts.map(Number);
const replica = REPLICA_NAMES.find((known) => known === name);
if (replica === undefined || seriesCount === undefined || chunkCount === undefined || fewCount === undefined) {
  throw new Error(`expected a replica's name and three numbers, got ${process.argv.slice(2).join(" ")}`);
}
const series = Array.from(makeSentSeries(USUAL_SHAPE, replica, seriesCount, chunkCount, fewCount), toSeries);
listen(readHandler(memoryReader(series)));
