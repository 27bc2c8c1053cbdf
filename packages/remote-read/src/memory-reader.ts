/** A reader over series at hand: for tests, demonstrations and embedding. */
import { type Block, compareLabelSets, type LabelSet, type Series, withoutLabels } from "@promsplice/core";

import { clipBlocks } from "./clip-blocks.ts";
import { toLabelSet } from "./label-message.ts";
import type { Matcher, Query, Reader, Reading, ReadOptions, ReadReport } from "./reader.ts";
import { RemoteReadError } from "./remote-read-error.ts";

export interface MemoryReaderOptions {
  /** What it is called in reports; `memory` by default. */
  readonly name?: string | undefined;
}

/** A series with all blocks that were given for its label set. */
interface StoredSeries {
  readonly labels: LabelSet;
  readonly pieces: readonly Iterable<Block>[];
}

/**
 * Makes a reader over series in any order, which it borrows. Their blocks are iterated over at every read, so they must be
 * arrays or other iterables that can be gone through again. Series of equal label sets are one, with the blocks of all.
 *
 * Regular expressions are evaluated by JavaScript's engine (flags `su`, anchored), which knows no `(?i)` or `[[:alpha:]]`, knows
 * look-around and back references that RE2 does not, and can be kept busy for ever: for queries that can be trusted. As
 * in a Prometheus, a query without matchers selects nothing.
 *
 * @throws RemoteReadError `labels-malformed` if a label set has an empty or a doubled name.
 */
export function memoryReader(series: readonly Series[], options: MemoryReaderOptions = {}): Reader {
  const stored = uniteSeries(series);
  const name = options.name ?? "memory";
  return { read: (query, readOptions = {}) => new MemoryReading(stored, name, query, readOptions) };
}

class MemoryReading implements Reading {
  readonly #stored: readonly StoredSeries[];
  readonly #name: string;
  readonly #query: Query;
  readonly #options: ReadOptions;
  #series = 0;
  #united = 0;
  #blocksPassedOn = 0;

  constructor(stored: readonly StoredSeries[], name: string, query: Query, options: ReadOptions) {
    this.#stored = stored;
    this.#name = name;
    this.#query = query;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Series, void, undefined> {
    const { startMs, endMs, matchers } = this.#query;
    const tests = matchers.map((matcher) => makeTest(matcher));
    const selected = tests.length === 0 ? [] : this.#stored.filter(({ labels }) => tests.every((test) => test(labels)));
    for (const { labels, pieces } of sortSeries(selected, this.#options.orderWithout ?? [])) {
      this.#throwIfAborted();
      const blocks = clipBlocks(concatenate(pieces), startMs, endMs);
      if (blocks.length > 0) {
        this.#series++;
        this.#united += pieces.length - 1;
        this.#blocksPassedOn += blocks.filter(({ bytes }) => bytes !== undefined).length;
        yield { labels, blocks };
      }
    }
    this.#throwIfAborted();
  }

  report(): ReadReport {
    return {
      series: this.#series,
      united: this.#united,
      bytes: 0,
      blocksDecoded: 0,
      blocksPassedOn: this.#blocksPassedOn,
      replicas: [{ name: this.#name, isUnverifiable: false }],
    };
  }

  #throwIfAborted(): void {
    const { signal } = this.#options;
    if (signal?.aborted === true) {
      throw new RemoteReadError("aborted", "the read was cancelled", { cause: signal.reason });
    }
  }
}

/** One entry a label set, in the order of label sets. */
function uniteSeries(series: readonly Series[]): StoredSeries[] {
  const sorted = series
    .map(({ labels, blocks }) => ({ labels: toLabelSet(labels), blocks }))
    .toSorted((one, other) => compareLabelSets(one.labels, other.labels));
  const stored: { readonly labels: LabelSet; readonly pieces: Iterable<Block>[] }[] = [];
  for (const { labels, blocks } of sorted) {
    const last = stored.at(-1);
    if (last !== undefined && compareLabelSets(last.labels, labels) === 0) {
      last.pieces.push(blocks);
    } else {
      stored.push({ labels, pieces: [blocks] });
    }
  }
  return stored;
}

/** The series by their labels without some; those that are equal there keep the order of their whole label sets. */
function sortSeries(stored: readonly StoredSeries[], orderWithout: readonly string[]): readonly StoredSeries[] {
  if (orderWithout.length === 0) {
    return stored;
  }
  return stored
    .map((series) => ({ key: withoutLabels(series.labels, orderWithout), series }))
    .toSorted((one, other) => compareLabelSets(one.key, other.key))
    .map(({ series }) => series);
}

function* concatenate(pieces: readonly Iterable<Block>[]): Generator<Block, void, undefined> {
  for (const blocks of pieces) {
    yield* blocks;
  }
}

/** A matcher as a function of a label set; a label that is not there is the empty string. */
function makeTest({ type, name, value }: Matcher): (labels: LabelSet) => boolean {
  const isNegated = type === "!=" || type === "!~";
  const pattern = type === "=~" || type === "!~" ? compilePattern(value) : undefined;
  return (labels) => {
    const actual = valueOf(labels, name);
    return (pattern === undefined ? actual === value : pattern.test(actual)) !== isNegated;
  };
}

function valueOf(labels: LabelSet, name: string): string {
  for (let index = 0; index < labels.length; index += 2) {
    if (labels[index] === name) {
      return labels[index + 1]!;
    }
  }
  return "";
}

/** A pattern that must match whole values, in which `.` matches a line break and a character is a code point: as in RE2. */
function compilePattern(pattern: string): RegExp {
  try {
    // Alone first: `)(` is two halves of a group only once it is wrapped into one.
    const alone = new RegExp(pattern, "su");
    return new RegExp(`^(?:${alone.source})$`, "su");
  } catch (error) {
    throw new TypeError(`error parsing regexp: ${JSON.stringify(pattern)} is none that JavaScript knows`, {
      cause: error,
    });
  }
}
