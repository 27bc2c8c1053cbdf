/** Numbers and names as the demo prints them. */
import type { LabelSet } from "@promsplice/core";
import type { Pair } from "./pair.ts";

/** `2.239 s`, `37.3 s`, `42.1 min`: as many digits as one cares about. */
export function formatDuration(ms: number): string {
  if (ms < 120_000) {
    return `${(ms / 1000).toFixed(1)} s`;
  }
  return `${(ms / 60_000).toFixed(1)} min`;
}

/** A share from 0 to 1 in per cent, rounded down: only what is whole is 100. */
export function formatShare(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

/** `2 holes`, `1 hole`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : noun.endsWith("ch") ? "es" : "s"}`;
}

/** An instant by the pair's clock: `67.0 s`, or `05:10:03`. */
export function formatInstant(timeMs: number, firstMs: number, clock: Pair["clock"]): string {
  return clock === "elapsed" ? formatDuration(timeMs - firstMs) : new Date(timeMs).toISOString().slice(11, 19);
}

/** A label set as PromQL writes it: `up{job="t"}`. */
export function formatLabels(labels: LabelSet): string {
  const matchers: string[] = [];
  let metric = "";
  for (let index = 0; index < labels.length; index += 2) {
    const [name, value] = [labels[index]!, labels[index + 1]!];
    if (name === "__name__") {
      metric = value;
    } else {
      matchers.push(`${name}=${JSON.stringify(value)}`);
    }
  }
  return `${metric}{${matchers.join(",")}}`;
}

/** The metric's name alone. */
export function formatMetric(labels: LabelSet): string {
  return labels[labels.indexOf("__name__") + 1]!;
}

/** Breaks a text into lines of at most `width` characters; all but the first begin with `indent`. */
export function wrapText(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
