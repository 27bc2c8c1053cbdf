/**
 * The process that `header-bombs.campaign.ts` drops its bombs into: reads the bodies from its input, as a JSON list in base64,
 * lets all of them off at once, and writes what became of them and of its memory to its output. Uses the build.
 */
import { readFileSync } from "node:fs";

import { memoryReader, readHandler, RemoteReadError } from "../../dist/index.js";
import { uncompressSnappy } from "../../dist/wire/snappy.js";

const BYTES_MAX = 32 * 1024 * 1024;
/** A body without a query. */
const HONEST = Uint8Array.of(0);

const bombs = JSON.parse(readFileSync(0, "utf8")).map((body) => Uint8Array.from(Buffer.from(body, "base64")));
let decoded = 0;
let asked = 0;

/** A decoder like many: it trusts what it is told, and uses the memory that it takes. */
function uncompress(block) {
  decoded++;
  let length = 0;
  let at = 0;
  do {
    length += (block[at] & 127) * 128 ** at;
  } while (block[at++] > 127 && at < block.length);
  return new Uint8Array(Math.min(length, 2 ** 30)).fill(1);
}

const nothing = memoryReader([]);
const reader = {
  read(query, options) {
    asked++;
    return nothing.read(query, options);
  },
};
const handle = readHandler(reader, { limits: { concurrency: 0 }, snappy: { uncompress } });

async function post(body) {
  const response = await handle(new Request("http://localhost/api/v1/read", { method: "POST", body }));
  await response.arrayBuffer();
  return response.status;
}

function refusal(body, options) {
  try {
    uncompressSnappy(body, BYTES_MAX, options);
    return "none";
  } catch (error) {
    return error instanceof RemoteReadError ? error.code : String(error);
  }
}

function count(list) {
  const counts = {};
  for (const one of list) {
    counts[one] = (counts[one] ?? 0) + 1;
  }
  return counts;
}

// As many honest requests first: what they take is no bomb's doing.
await Promise.all(bombs.map(() => post(HONEST)));
decoded = 0;
asked = 0;
globalThis.gc();
const before = process.memoryUsage.rss();
const peakBefore = process.resourceUsage().maxRSS * 1024;

const codes = [...bombs.map((body) => refusal(body, { uncompress })), ...bombs.map((body) => refusal(body, {}))];
const statuses = await Promise.all(bombs.map(post));

const peak = process.resourceUsage().maxRSS * 1024;
const grown = Math.max(process.memoryUsage.rss(), peak > peakBefore ? peak : 0) - before;
process.stdout.write(JSON.stringify({ codes: count(codes), statuses: count(statuses), decoded, asked, grown }));
