/**
 * Every prefix of every recorded answer, read by the client over a transport that says nothing of a cut: the series so far
 * at the end of a frame, and an error elsewhere.
 */
import { compareLabelSets } from "@promsplice/core";
import { describe, expect, test } from "vitest";

import { remoteReader } from "../src/client.ts";
import { RemoteReadError } from "../src/remote-read-error.ts";
import { SAMPLES_TYPE, STREAMED_TYPE } from "./answering-server.ts";
import { answering, URL_OF_NOBODY } from "./client-exchange.ts";
import { queryOf } from "./read-exchange.ts";
import { chunksNames, readExchange, readRecording, type RecordedFrame, samplesNames } from "./recording.ts";

const ALL_TIME = queryOf([["=~", "__name__", ".+"]], -(2 ** 53), 2 ** 53);

/** Where a frame ends in its body. */
function endOf({ offset, length }: RecordedFrame): number {
  return offset + (length < 128 ? 1 : length < 16_384 ? 2 : 3) + 4 + length;
}

/** The label sets of these frames that have chunks, each once, in any order. */
function labelSetsOf(frames: readonly RecordedFrame[]): string[] {
  const series = frames.flatMap(({ chunked_series }) => chunked_series);
  const names = series
    .filter(({ chunks }) => chunks.length > 0)
    .map(({ labels }) => labels.toSorted(compareLabelSets).flat().join(" "));
  return [...new Set(names)].toSorted();
}

/** An answer as the client looks at it, without the machinery of a real one: there are ninety thousand of them. */
function bareResponse(body: Uint8Array, headers: Headers): Response {
  const pieces = body.length === 0 ? [] : [body];
  const reader = {
    read: async () => ({ done: pieces.length === 0, value: pieces.pop() }),
    cancel: async () => {},
  };
  return { status: 200, ok: true, headers, body: { getReader: () => reader } } as unknown as Response;
}

/** Reads all prefixes of a body: the code of the error, and the label sets. */
async function readPrefixes(body: Uint8Array, contentType: string): Promise<[string, string[]][]> {
  const headers = new Headers({ "Content-Type": contentType, "Transfer-Encoding": "chunked" });
  let length = 0;
  const reader = remoteReader({
    url: URL_OF_NOBODY,
    fetch: answering(() => bareResponse(body.slice(0, length), headers)),
    collect: true,
    limits: { bodyBytesMax: 1 << 14 },
    timeouts: { firstByteMs: 0, idleMs: 0 },
  });
  const outcomes: [string, string[]][] = [];
  for (; length <= body.length; length++) {
    const labelSets: string[] = [];
    let code = "none";
    try {
      for await (const { labels } of reader.read(ALL_TIME)) {
        labelSets.push(labels.join(" "));
      }
    } catch (error) {
      code = error instanceof RemoteReadError ? error.code : String(error);
    }
    outcomes.push([code, labelSets.toSorted()]);
  }
  return outcomes;
}

describe("prefixes of recorded answers, read by the client", () => {
  test.each(chunksNames)(
    "in frames, %s: are the series so far at the end of a frame, and an error elsewhere",
    async (name) => {
      const body = readRecording(`${name}.resp.bin`);
      const { frames, rest } = readExchange(name).response.decoded!;
      const ends = frames!.map(endOf);
      const framesEnd = ends.at(-1) ?? 0;
      const wrong: unknown[] = [];
      for (const [length, [code, labelSets]] of (await readPrefixes(body, STREAMED_TYPE)).entries()) {
        const isBoundary = length === 0 || ends.includes(length);
        const expected = isBoundary ? labelSetsOf(frames!.slice(0, ends.indexOf(length) + 1)) : [];
        const expectedCode = isBoundary ? "none" : length === body.length ? "remote-error-text" : "frame-truncated";
        if (code !== expectedCode || labelSets.join("\n") !== expected.join("\n")) {
          wrong.push([length, code, labelSets, expectedCode, expected]);
        }
      }
      expect(wrong).toEqual([]);
      expect(framesEnd === body.length).toBe(rest === undefined);
    },
  );

  test.each(samplesNames)("of samples, %s: are an error", async (name) => {
    const body = readRecording(`${name}.resp.bin`);
    const prefixes = (await readPrefixes(body, SAMPLES_TYPE)).slice(0, -1);
    const outcomes = new Set(prefixes.map(([code, labelSets]) => `${code} ${labelSets.length}`));
    expect([...outcomes]).toEqual(["snappy-corrupt 0"]);
  });
});
