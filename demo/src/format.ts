/** Numbers and names as the demo prints them. */
import type { LabelSet } from "@promsplice/core";
import type { Pair } from "./pair.ts";

/** Names that PromQL writes without quotes. */
const PLAIN_NAME = /^[a-zA-Z_:][\w:]*$/u;

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

/** `812 B`, `60.3 kB`, `1.5 MB`: in powers of 1000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  return bytes < 999_950 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** An instant by the pair's clock: `67.0 s`, `05:10:03`, or `01-15 05:10:03`. */
export function formatInstant(timeMs: number, firstMs: number, clock: Pair["clock"]): string {
  if (clock === "elapsed") {
    return formatDuration(timeMs - firstMs);
  }
  const text = new Date(timeMs).toISOString();
  return clock === "date" ? `${text.slice(5, 10)} ${text.slice(11, 19)}` : text.slice(11, 19);
}

/** A label set as PromQL writes it: `up{job="t"}`. */
export function formatLabels(labels: LabelSet): string {
  return wrapLabels(labels, Infinity).join("");
}

/** The same in lines of at most `width` characters: as many labels a line as fit, and longer ones broken. */
export function wrapLabels(labels: LabelSet, width: number): string[] {
  const metric = formatMetric(labels);
  const isPlain = metric === "" || PLAIN_NAME.test(metric);
  const parts = isPlain ? [] : [JSON.stringify(metric)];
  for (let index = 0; index < labels.length; index += 2) {
    const [name, value] = [labels[index]!, labels[index + 1]!];
    if (name !== "__name__") {
      parts.push(`${PLAIN_NAME.test(name) ? name : JSON.stringify(name)}=${JSON.stringify(value)}`);
    }
  }
  const lines: string[] = [];
  let line = `${isPlain ? metric : ""}{${parts.length === 0 ? "}" : ""}`;
  for (const [index, part] of parts.entries()) {
    const piece = `${part}${index === parts.length - 1 ? "}" : ","}`;
    if (line.length + piece.length > width) {
      lines.push(line);
      line = "  ";
    }
    line += piece;
    while (line.length > width) {
      lines.push(line.slice(0, width));
      line = `  ${line.slice(width)}`;
    }
  }
  return [...lines, line];
}

/** The metric's name alone; empty where there is none. */
export function formatMetric(labels: LabelSet): string {
  const index = labels.findIndex((text, at) => at % 2 === 0 && text === "__name__");
  return index < 0 ? "" : labels[index + 1]!;
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
