/** Which servers are asked a second time, for samples: those that answer 5xx and have not shown yet that they know frames. */
import { expect } from "vitest";

import type { Asked } from "./network.ts";

export function checkAttempts(asked: readonly Asked[]): void {
  for (const one of asked) {
    const { connection, replica, who } = one;
    const others = asked.filter((other) => other !== one && other.replica === replica);
    const again = others.filter((other) => other.who === who && !other.asksForFrames);
    if (!one.asksForFrames) {
      continue;
    }
    const hasShown = others.some((other) => other.asksForFrames && other.connection.answeredMs < connection.endedMs);
    const isServerError = connection.status !== undefined && connection.status >= 500;
    expect(again.length, `${who} asks ${replica} again`).toBe(isServerError && !hasShown ? 1 : 0);
  }
}
