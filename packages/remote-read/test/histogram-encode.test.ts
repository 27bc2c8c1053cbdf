/** Histograms as chunks: the bytes of Prometheus' appenders, and what is decoded again. */
import { describe, expect, test } from "vitest";

import { chunkBlock, encodeBlock, type EncodedChunk } from "../src/chunk/chunk-block.ts";
import { fromHex, toHex } from "./bytes.ts";
import { plainRows } from "./plain-histogram.ts";
import { realChunks, vectors } from "./vectors.ts";

function chunkOf(type: number, hex: string, rows: readonly { readonly t: string }[]): EncodedChunk {
  return { minMs: Number(rows[0]!.t), maxMs: Number(rows.at(-1)!.t), type, data: fromHex(hex) };
}

/** Header flags are about the chunk before, which the vectors' decoded rows know nothing of. */
function withoutFlags(hex: string): string {
  return `${hex.slice(0, 4)}00${hex.slice(6)}`;
}

describe("encodeBlock of histograms", () => {
  const plain = vectors.filter(({ encoding, decoded }) => decoded !== null && (encoding === 2 || encoding === 3));
  test.each(plain)("gives the bytes of the appender: $name", ({ encoding, hex, decoded }) => {
    const chunks = encodeBlock(chunkBlock(chunkOf(encoding, hex, decoded!)));
    expect(chunks.map(({ data }) => toHex(data))).toEqual([hex.startsWith("c0", 4) ? hex : withoutFlags(hex)]);
    expect(chunks.map(({ type, minMs, maxMs }) => [type, String(minMs), String(maxMs)])).toEqual([
      [encoding, decoded![0]!.t, decoded!.at(-1)!.t],
    ]);
  });

  const withStarts = vectors.filter(({ encoding }) => encoding > 4);
  test.each(withStarts)("gives chunks without start timestamps, which read the same: $name", (vector) => {
    const block = chunkBlock(chunkOf(vector.encoding, vector.hex, vector.decoded!));
    const chunks = encodeBlock(block);
    expect(chunks.map(({ type }) => type)).toEqual([vector.encoding - 3]);
    expect(plainRows(chunkBlock(chunks[0]!))).toEqual(plainRows(block));
  });

  const real = realChunks.filter(({ encoding }) => encoding === 2 || encoding === 3);
  test.each(real.map((chunk) => [`${chunk.sources.join(", ")}`, chunk] as const))(
    "gives the bytes of a real server, but for what old ones append: %s",
    (_, { encoding, hex, samples }) => {
      const block = chunkBlock(chunkOf(encoding, hex, samples));
      const [chunk, ...others] = encodeBlock(block);
      expect(others).toEqual([]);
      const got = toHex(chunk!.data);
      const expected = hex.startsWith("c0", 4) ? hex : withoutFlags(hex);
      expect([expected, expected.replace(/00$/, "")]).toContain(got);
    },
  );
});
