import { defineConfig } from "vitest/config";

/** Of `npm run test:agents`: one agent after the other, with time enough for those that start slowly. */
export default defineConfig({
  test: {
    include: ["test/agents/more/*.agents.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
