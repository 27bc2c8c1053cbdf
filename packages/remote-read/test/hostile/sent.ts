/** What replicas send of what they hold: bodies of both forms, and what faults make of them. */
import { encodeBlock } from "../../src/chunk/chunk-block.ts";
import { encodeChunkedSeries } from "../../src/chunked-response.ts";
import { type Answer, answerWhole, SAMPLES_TYPE, STREAMED_TYPE } from "../answering-server.ts";
import { concatenate } from "../bytes.ts";
import { samplesBody } from "../client-exchange.ts";
import { blockOf, cutRows, labelsOf } from "../read-exchange.ts";
import type { ClientRow } from "../strict-client.ts";
import type { Fault, Form } from "./fault.ts";
import { CHUNK_ROWS, type HeldSeries } from "./pair.ts";

/** The answer of a good replica. */
export function wholeAnswer(held: readonly HeldSeries[], form: Form): Answer {
  return answerWhole(bodyOf(held, form), typeOf(form));
}

export function labelSet({ name, replica }: HeldSeries): string[] {
  return labelsOf(replica === undefined ? `__name__=${name}` : `__name__=${name},replica=${replica}`);
}

/** Rows as chunks of so many rows, and whatever a fault makes of them. */
export type ChunkEdit = (chunk: ReturnType<typeof encodeBlock>[number], index: number) => typeof chunk;

export function frameOfSeries(series: HeldSeries, edit: ChunkEdit = (chunk) => chunk): Uint8Array {
  return frameOfChunks(series, cutRows(series.rows, [CHUNK_ROWS]), edit);
}

export function frameOfChunks(
  series: HeldSeries,
  pieces: readonly (readonly ClientRow[])[],
  edit: ChunkEdit = (chunk) => chunk,
): Uint8Array {
  const chunks = pieces.map((rows, index) => edit(encodeBlock(blockOf(rows))[0]!, index));
  return encodeChunkedSeries(labelSet(series), chunks, 0);
}

export function frames(held: readonly HeldSeries[]): Uint8Array {
  return concatenate(...held.map((series) => frameOfSeries(series)));
}

export function bodyOf(held: readonly HeldSeries[], form: Form): Uint8Array {
  return form === "frames"
    ? frames(held)
    : samplesBody(held.map((series) => ({ labels: labelSet(series), blocks: [blockOf(series.rows)] })));
}

export const typeOf = (form: Form): string => (form === "frames" ? STREAMED_TYPE : SAMPLES_TYPE);

/** A whole answer of what the function makes of the body. */
export function whole(edit: (body: Uint8Array, form: Form) => Uint8Array): NonNullable<Fault["answer"]> {
  return (held, form) => answerWhole(edit(bodyOf(held, form), form), typeOf(form));
}

/** A whole answer of other series. */
export function sending(edit: (held: readonly HeldSeries[]) => readonly HeldSeries[]): NonNullable<Fault["answer"]> {
  return (held, form) => answerWhole(bodyOf(edit(held), form), typeOf(form));
}

/** An answer of frames, one of them another. */
export function replacing(name: string, edit: (frame: Uint8Array, series: HeldSeries) => Uint8Array): Fault["answer"] {
  return (held) =>
    answerWhole(
      concatenate(
        ...held.map((series) => {
          const frame = frameOfSeries(series);
          return series.name === name ? edit(frame, series) : frame;
        }),
      ),
    );
}

export const editing = (name: string, edit: ChunkEdit): Fault["answer"] =>
  replacing(name, (_, series) => frameOfSeries(series, edit));

export const isBeforeM5 = ({ name }: HeldSeries): boolean => name < "m5";

/** The same, with another in the place of one series. */
export function withSeries(held: readonly HeldSeries[], name: string, ...others: readonly HeldSeries[]): HeldSeries[] {
  return held.flatMap((series) => (series.name === name ? others : [series]));
}

export function named(held: readonly HeldSeries[], name: string): HeldSeries {
  return held.find((series) => series.name === name)!;
}
