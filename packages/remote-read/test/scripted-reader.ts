/** Readers that do what a test says: series, pauses, failures. */
import type { Series } from "@promsplice/core";
import type { Query, Reader, ReadOptions } from "../src/reader.ts";

/** A step of the script: a series is yielded, an error thrown, a number waited for, in ms. */
export type Step = Series | Error | number;

export interface ScriptedReader extends Reader {
  /** The queries and options that it was asked with. */
  readonly asked: { readonly query: Query; readonly options: ReadOptions | undefined }[];
  /** How many readings were left before their end. */
  left: number;
}

export function scriptedReader(name: string, steps: readonly Step[]): ScriptedReader {
  const reader: ScriptedReader = {
    asked: [],
    left: 0,
    read: (query, options) => {
      reader.asked.push({ query, options });
      let series = 0;
      return {
        report: () => ({
          series,
          united: 0,
          bytes: 0,
          blocksDecoded: 0,
          blocksPassedOn: 0,
          replicas: [{ name, isUnverifiable: false }],
        }),
        async *[Symbol.asyncIterator]() {
          let isDone = false;
          try {
            for (const step of steps) {
              if (typeof step === "number") {
                await new Promise((resolve) => {
                  setTimeout(resolve, step);
                });
              } else if (step instanceof Error) {
                isDone = true;
                throw step;
              } else {
                series++;
                yield step;
              }
            }
            isDone = true;
          } finally {
            reader.left += isDone ? 0 : 1;
          }
        },
      };
    },
  };
  return reader;
}
