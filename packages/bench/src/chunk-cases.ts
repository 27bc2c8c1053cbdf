/** What is run over chunks of one kind, and what they are made from. */
import type { Case } from "./cases.ts";

/** Chunks, and the three cases over them: decoding all of it, the timestamps alone, and encoding. */
export interface ChunkCases {
  readonly name: string;
  /** 1 XOR, 2 histograms of integers, 3 of floats. */
  readonly type: number;
  readonly chunks: readonly Uint8Array[];
  readonly samples: number;
  /** The SHA-256 of the columns that the chunks were made from, as the Go program sums them up. */
  readonly checksum: string;
  readonly decode: Case;
  readonly decodeTimes: Case;
  readonly encode: Case;
}
