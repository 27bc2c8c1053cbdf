/** One line on a terminal that says how far long work has come, and that is gone when the work is done. */

import type { Output, Surroundings } from "./command.ts";

/** Work that is done sooner shows no line; a line changes no more often than this. */
const FIRST_MS = 300;
const EACH_MS = 100;

/** Back to the start of the line, and nothing right of there (ECMA-48 §8.3.41). */
const ERASE = "\r\u001B[K";

/**
 * Shows what `describe` says, until the function that is given back is called. Nothing where nobody looks: not a TTY, or one
 * that cannot erase.
 */
export function startProgress(
  stream: Output,
  environment: Surroundings["environment"],
  describe: () => string,
): () => void {
  if (stream.isTTY !== true || environment["TERM"] === "dumb") {
    return () => {};
  }
  let isShown = false;
  const show = (): void => {
    isShown = true;
    stream.write(`${ERASE}${describe()}`);
  };
  let timer = setTimeout(() => {
    show();
    timer = setInterval(show, EACH_MS);
  }, FIRST_MS);
  return () => {
    clearTimeout(timer);
    if (isShown) {
      stream.write(ERASE);
    }
  };
}
