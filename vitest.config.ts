import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "demo/test/**/*.test.ts"],
    // Property tests and exhaustive ones take seconds, and more on a busy machine; a hang is still found.
    testTimeout: 120_000,
    // One for each core; by default one is left free, which of two is half of the time.
    maxWorkers: availableParallelism(),
  },
});
