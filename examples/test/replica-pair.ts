/**
 * A pair of replicas on loopback, each a server of remote read, for the examples to read. Of the generated day they hold all
 * series, and two things more that show how an example treats its connections:
 *
 *     endless    series after series, as many as are taken
 *     broken     two hundred series, then the connection breaks
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { columnsBlock, fill, type Series, spliceBlocks } from "@promsplice/core";
import { memoryReader, readHandler, type Reader, type Reading } from "@promsplice/remote-read";
import { breakQuietly } from "../../demo/src/quiet-body.ts";
import { makeSeededDay } from "../../demo/src/seeded-day.ts";

export interface ReplicaPair {
  /** Addresses, as the examples take them. */
  readonly urls: readonly string[];
  /** Endless series that were taken from each replica. */
  readonly taken: () => number[];
  /** Answers of endless series that are under way. */
  readonly underWay: () => number;
  close(): Promise<void>;
}

/** A sample: time in ms, and the bits of the value. */
export type Row = readonly [number, bigint];

const SERIES_BEFORE_BREAK = 200;
/** Numbers that no encoder makes smaller. */
const NOISE = Float64Array.from({ length: 2000 }, (_, row) => Math.sin(row * row));

/** The generated day, so much later than it was. */
export function makeDay(laterMs: number): readonly (readonly Series[])[] {
  return makeSeededDay().servers.map((server) =>
    server.map(({ labels, blocks }) => ({
      labels,
      blocks: [...blocks].map((block) =>
        columnsBlock({
          timestamps: block.timestamps().map((timeMs) => timeMs + laterMs),
          values: block.values(),
        }),
      ),
    })),
  );
}

/** What `fill` makes of the day, by metric. */
export function spliceDay(day: readonly (readonly Series[])[]): Map<string, Row[]> {
  return new Map(
    day[0]!.map(({ labels, blocks }, index) => [
      labels[labels.indexOf("__name__") + 1]!,
      rowsOf({ labels, blocks: spliceBlocks([blocks, day[1]![index]!.blocks], fill()) }),
    ]),
  );
}

export function rowsOf({ blocks }: Series): Row[] {
  return [...blocks].flatMap((block) => {
    const values = block.values();
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    return Array.from(block.timestamps(), (timeMs, row) => [timeMs, bits[row]!] as const);
  });
}

export async function startPair(day: readonly (readonly Series[])[]): Promise<ReplicaPair> {
  const taken = day.map(() => 0);
  let underWay = 0;
  const servers = day.map((series, replica) => {
    const stored = memoryReader(series);
    const reader: Reader = {
      read(query, options) {
        const metric = query.matchers.find(({ name }) => name === "__name__")?.value;
        const reading = stored.read(query, options);
        return metric === "endless" || metric === "broken"
          ? { report: () => reading.report(), [Symbol.asyncIterator]: () => generate(metric, replica) }
          : reading;
      },
    };
    const handle = readHandler(reader);
    return serve({
      fetch: async (request, { outgoing }) => breakQuietly(await handle(request), outgoing),
      hostname: "127.0.0.1",
      port: 0,
    });
  });

  async function* generate(
    metric: "endless" | "broken",
    replica: number,
  ): ReturnType<Reading[typeof Symbol.asyncIterator]> {
    underWay++;
    try {
      const seriesMax = metric === "endless" ? Infinity : SERIES_BEFORE_BREAK;
      for (let number = 0; number < seriesMax; number++) {
        taken[replica]!++;
        yield {
          labels: ["__name__", metric, "number", String(number).padStart(9, "0"), "replica", "AB"[replica]!],
          blocks: [columnsBlock({ timestamps: NOISE.map((_, row) => 15_000 * row + replica), values: NOISE })],
        };
      }
      throw new Error("broken on purpose");
    } finally {
      underWay--;
    }
  }

  await Promise.all(servers.map((server) => once(server, "listening")));
  return {
    urls: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    taken: () => [...taken],
    underWay: () => underWay,
    close: async () => {
      await Promise.all(
        servers.map(async (server) => {
          const closed = once(server, "close");
          server.close();
          if ("closeAllConnections" in server) {
            server.closeAllConnections();
          }
          await closed;
        }),
      );
    },
  };
}
