import { defineConfig } from "vitest/config";

/** The campaigns, see packages/remote-read/test/campaigns/campaign.ts; `npm run campaigns` sets what they read. */
export default defineConfig({
  test: {
    include: ["packages/*/test/campaigns/**/*.campaign.ts"],
    // Several of them measure times or memory: one after another.
    fileParallelism: false,
    disableConsoleIntercept: true,
    // To measure what is left in memory.
    execArgv: ["--expose-gc"],
  },
});
