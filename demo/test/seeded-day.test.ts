import type { Block } from "@promsplice/core";
import { describe, expect, it } from "vitest";
import { readRecordedPair } from "../src/recordings.ts";
import { makeSeededDay } from "../src/seeded-day.ts";
import { joinBlocks } from "../src/splice-pair.ts";
import { STALE_MARKER_BITS, viewBits } from "../src/stale-marker.ts";
import type { StoredPair } from "../src/pair.ts";

function readColumns(pair: StoredPair, server: number, metric: string) {
  const series = pair.servers[server]!.find(({ labels }) => labels[1] === metric)!;
  return joinBlocks(Array.from<Block>(series.blocks));
}

function countMarkers(pair: StoredPair, server: number, metric: string): number {
  return viewBits(readColumns(pair, server, metric)).filter((bits) => bits === STALE_MARKER_BITS).length;
}

describe("the seeded day", () => {
  const day = makeSeededDay();

  it("is the same each time", () => {
    for (const server of [0, 1]) {
      for (const { labels } of day.servers[server]!) {
        expect(readColumns(makeSeededDay(), server, labels[1]!)).toEqual(readColumns(day, server, labels[1]!));
      }
    }
  });

  it.each([
    [0, 42],
    [1, 35],
  ])("has an outage of server %i of %i minutes", (server, minutes) => {
    const { timestamps } = readColumns(day, server, "http_requests_total");
    const gaps = Array.from(timestamps.slice(1), (timeMs, row) => timeMs - timestamps[row]!);
    const outages = gaps.filter((gapMs) => gapMs > 5 * 60_000);
    expect(outages).toHaveLength(1);
    expect(outages[0]! / 60_000).toBeGreaterThanOrEqual(minutes);
    expect(outages[0]! / 60_000).toBeLessThan(minutes + 1);
  });

  it.each([0, 1])("misses about one scrape in two hundred on server %i", (server) => {
    const missed = day.servers[server]!.flatMap(({ labels }) => {
      const { timestamps } = readColumns(day, server, labels[1]!);
      const gaps = Array.from(timestamps.slice(1), (timeMs, row) => timeMs - timestamps[row]!);
      return gaps.filter((gapMs) => gapMs > 20_000 && gapMs < 5 * 60_000);
    });
    expect(missed.length / (3 * 5600)).toBeGreaterThan(0.003);
    expect(missed.length / (3 * 5600)).toBeLessThan(0.007);
  });

  it.each([0, 1])("resets the counter once on server %i, and the counter never falls elsewhere", (server) => {
    const { values } = readColumns(day, server, "http_requests_total");
    expect(values.slice(1).filter((value, row) => value < values[row]!)).toHaveLength(1);
  });

  it.each([0, 1])("ends the worker's series with one stale marker on server %i, and only that one", (server) => {
    expect(countMarkers(day, server, "batch_queue_length")).toBe(1);
    expect(countMarkers(day, server, "http_requests_total")).toBe(0);
    expect(countMarkers(day, server, "room_temperature_celsius")).toBe(0);
  });
});

describe("the recorded pair", () => {
  it("keeps the bits of the stale marker that only replica a has", () => {
    const pair = readRecordedPair();
    expect([0, 1].map((server) => countMarkers(pair, server, "t_vanishing"))).toEqual([1, 0]);
  });

  it("has all samples of both servers", () => {
    const pair = readRecordedPair();
    const counts = pair.servers.map((series) => series.map(({ blocks }) => joinBlocks([...blocks]).timestamps.length));
    expect(counts).toEqual([
      [79, 79, 65, 79],
      [71, 71, 61, 71],
    ]);
  });
});
