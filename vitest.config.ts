import { defineConfig } from "vitest/config";

/** Those that hold something to the clock of this machine: when all others are through, one after the other. */
const timed = ["test/acceptance/timing.test.ts"];

const common = { testTimeout: 60_000, hookTimeout: 60_000, pool: "forks" as const };

export default defineConfig({
  test: {
    globalSetup: "test/global-setup.ts",
    projects: [
      {
        test: {
          ...common,
          name: "all",
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...timed],
          // Twice the cores of a small machine: most of them wait for processes of theirs.
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...common, name: "timed", include: timed, maxWorkers: 1, fileParallelism: false, sequence: { groupOrder: 1 } } },
    ],
  },
});
