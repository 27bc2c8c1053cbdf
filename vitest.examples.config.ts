import { defineConfig } from "vitest/config";

/** `npm run examples`: the examples, each under its own runtime. They need more than Node; `npm test` does without them. */
export default defineConfig({
  test: {
    include: ["examples/test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is left out, and where the screenshots are, in a line each.
    disableConsoleIntercept: true,
  },
});
