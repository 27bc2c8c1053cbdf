/** Results as text for people: `RESULTS.md` but for its last section, and the columns that ratios are printed in. */
import { isReached, isSpeed, type Ratio } from "./goals.ts";
import type { Results } from "./results.ts";

/** Everything but the last section. */
export function renderResults({ bench, strategies, go, wire, goChunks, serving, sizes }: Results): string {
  const lines = [
    "# Results",
    "",
    "Written by `npm run bench -- --write` and `npm run bench:go -- --write`; the last section is written by hand and kept.",
    "Cases take turns and the least time of all rounds counts. Shapes: *whole* exactly 15 s apart, *jitter* ±10 ms, *gap* jitter",
    "and one scrape in a thousand missed, *missed* jitter and one in ten missed, on every replica by itself. A line without a",
    "goal is there to be known.",
  ];
  if (bench !== undefined) {
    lines.push("", "## Ratios", "", ...renderSection(bench));
  }
  if (strategies !== undefined) {
    lines.push("", "## The strategies, in one process", "", ...renderSection(strategies));
    lines.push("", "Per input sample of both replicas; `spliceBlocks` over blocks of 120 rows.");
    lines.push("", ...renderTimes(strategies.cases));
  }
  if (go !== undefined) {
    lines.push("", "## Against Thanos' iterator in Go, decoded samples", "", ...renderSection(go), "", ...renderGo(go));
  }
  if (wire !== undefined) {
    lines.push("", "## Chunks, checksums, frames and whole answers", "", ...renderSection(wire));
    lines.push("", ...renderWire(wire));
  }
  if (goChunks !== undefined) {
    lines.push("", "## Chunks against Prometheus' own in Go", "", ...renderSection(goChunks));
    lines.push("", ...renderGoChunks(goChunks));
  }
  if (serving !== undefined) {
    lines.push(
      "",
      "## The handler over real connections",
      "",
      ...renderSection(serving),
      "",
      ...renderServing(serving),
    );
  }
  if (sizes !== undefined) {
    lines.push("", "## Sizes in a browser", "", ...renderSection(sizes), "", ...renderSizes(sizes));
  }
  if (bench !== undefined) {
    lines.push("", "## Times and memory", "", ...renderBench(bench));
  }
  return `${lines.join("\n")}\n`;
}

type Part<Name extends keyof Results> = NonNullable<Results[Name]>;

function renderBench({ cases }: Part<"bench">): string[] {
  return [
    "Per input sample, or per series where series are grouped. Buffers are the memory of typed arrays.",
    "",
    "| case | ns | heap bytes | buffer bytes |",
    "|---|--:|--:|--:|",
    ...cases.map(({ name, nsPerInput, heapBytesPerInput, bufferBytesPerInput }) =>
      row(name, fixed(nsPerInput), fixed(heapBytesPerInput), fixed(bufferBytesPerInput)),
    ),
  ];
}

function renderGo({ cases }: Part<"go">): string[] {
  return [
    "| ns an input sample | Thanos | `splice` | `dedup` |",
    "|---|--:|--:|--:|",
    ...cases.map(({ name, thanosNs, spliceNs, dedupNs }) =>
      row(name, fixed(thanosNs), fixed(spliceNs), fixed(dedupNs)),
    ),
  ];
}

function renderWire({ cases }: Part<"wire">): string[] {
  return [
    "Per sample; of checksums, frames and snappy (once decoded) per byte. An answer is a streamed one over two replicas of which one is whole, without",
    "sockets, per sample of both: *spliced* by the handler, *recoded* by decoding both, `dedup`, and encoding; its *floor* is one",
    "replica's timestamps and the checksums of all three bodies.",
    "",
    ...renderTimes(cases),
  ];
}

function renderTimes(cases: Part<"wire">["cases"]): string[] {
  return ["| case | ns |", "|---|--:|", ...cases.map(({ name, nsPerInput }) => row(name, fixed(nsPerInput)))];
}

function renderGoChunks({ cases }: Part<"goChunks">): string[] {
  return [
    "| ns a sample | Go decodes | ours | timestamps alone | Go encodes | ours |",
    "|---|--:|--:|--:|--:|--:|",
    ...cases.map(({ name, goDecodeNs, decodeNs, decodeTimesNs, goEncodeNs, encodeNs }) =>
      row(name, ...[goDecodeNs, decodeNs, decodeTimesNs, goEncodeNs, encodeNs].map(fixed)),
    ),
  ];
}

function renderServing({ cases }: Part<"serving">): string[] {
  return [
    "Two replicas, the handler and the clients are a process each, on one machine.",
    "",
    "| requests | clients | requests/s | median ms | 99 % ms | bytes of a body |",
    "|---|--:|--:|--:|--:|--:|",
    ...cases.map(({ name, clients, requestsPerSecond, medianMs, percentile99Ms, bodyBytes }) =>
      row(name, clients, requestsPerSecond.toFixed(1), medianMs.toFixed(1), percentile99Ms.toFixed(1), bodyBytes),
    ),
  ];
}

function renderSizes({ cases }: Part<"sizes">): string[] {
  return [
    "| KiB | minified | gzipped |",
    "|---|--:|--:|",
    ...cases.map(({ name, bytes, gzippedBytes }) => row(name, ...[bytes, gzippedBytes].map(inKibibytes))),
  ];
}

function row(...cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}

function fixed(ns: number): string {
  return ns.toFixed(2);
}

function inKibibytes(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}

function renderSection({ circumstances, ratios }: Part<keyof Results>): string[] {
  const { machine, runtime, commit, date, rounds, amount } = circumstances;
  return [
    `${machine}; ${runtime}; commit ${commit}; ${date}.`,
    rounds === 1 ? `${amount}.` : `${rounds} rounds, ${amount}.`,
    "",
    ...renderRatios(ratios),
  ];
}

function renderRatios(ratios: readonly Ratio[]): string[] {
  return [
    "| what | against | goal | measured | reached |",
    "|---|---|---|--:|---|",
    ...ratios.map((ratio) => `| ${ratio.what} | ${ratio.against} | ${ratioColumns(ratio).join(" | ")} |`),
  ];
}

/** A ratio's goal, what was measured and whether that is enough, as text. */
export function ratioColumns(ratio: Ratio): [goal: string, measured: string, reached: string] {
  const { unit, measured, limit } = ratio;
  const bound = isSpeed(unit) ? "at least" : "at most";
  const reached = isReached(ratio);
  return [
    limit === undefined ? "–" : `${bound} ${describeLimit(unit, limit)}`,
    describeMeasured(unit, measured),
    reached === undefined ? "" : reached ? "yes" : "**no**",
  ];
}

function describeLimit(unit: Ratio["unit"], limit: number): string {
  return isCount(unit) ? String(limit) : isRatio(unit) ? `${limit} ×` : `${limit} ${unit}`;
}

function describeMeasured(unit: Ratio["unit"], measured: number): string {
  return isCount(unit)
    ? `${measured} ${unit}`
    : isRatio(unit)
      ? `${measured.toFixed(2)} ×${unit === "times faster" ? " faster" : ""}`
      : `${measured.toFixed(2)} ${unit}`;
}

function isCount(unit: Ratio["unit"]): boolean {
  return unit === "bytes" || unit === "blocks";
}

function isRatio(unit: Ratio["unit"]): boolean {
  return unit.startsWith("times");
}
