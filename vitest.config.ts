import { defineConfig } from "vitest/config";

/** Those that hold something to the clock of this machine: when all others are through, one after the other. */
const timed = ["test/acceptance/timing.test.ts"];

/**
 * `npm run test:long`: faults, agents, pages and commands in all their variety, and every example of the documents. `npm test` leaves these files out, and
 * plays the scenes of a few documents, to stay under ten minutes on two cores.
 */
const long = [
  "bench/recovery.test.ts",
  "src/cli/bench-agents/bench-agents.test.ts",
  "src/cli/budget.test.ts",
  "src/cli/commands/cost.test.ts",
  "src/cli/commands/gc.test.ts",
  "src/cli/commands/models.test.ts",
  "src/cli/commands/scout-plan-build.test.ts",
  "src/cli/reassign.test.ts",
  "src/cli/route.test.ts",
  "src/cli/system-log.test.ts",
  "src/config/yaml/large-texts.test.ts",
  "src/pipeline/large-files.test.ts",
  "src/workspace/large.slow.test.ts",
  "test/acceptance/best-of.test.ts",
  "test/acceptance/budget-tree.test.ts",
  "test/acceptance/examples.test.ts",
  "test/acceptance/isolation.test.ts",
  "test/acceptance/judge.test.ts",
  "test/acceptance/ledger.test.ts",
  "test/acceptance/quota.test.ts",
  "test/acceptance/sandboxed.test.ts",
  "test/acceptance/stuck.test.ts",
  "test/agents/faults.test.ts",
  "test/agents/formats.test.ts",
  "test/agents/gateway-restart.test.ts",
  "test/agents/session.test.ts",
  "test/browser/inbox.test.ts",
  "test/browser/overview.test.ts",
  "test/control/again.test.ts",
  "test/docs/library.test.ts",
  "test/docs/settings.test.ts",
  "test/faults/**/*.test.ts",
];
// oxlint-disable-next-line node/no-process-env -- scripts/test.mjs says by it what is to be run
const { STEPFALL_LONG, STEPFALL_TEST_BUNDLE } = process.env;
const isLong = STEPFALL_LONG === "1";
const isWhole = STEPFALL_TEST_BUNDLE === "1";
const all = ["src/**/*.test.ts", "web/src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"];

const common = { testTimeout: 60_000, hookTimeout: 60_000, pool: "forks" as const };

export default defineConfig({
  test: {
    globalSetup: "test/global-setup.ts",
    projects: [
      {
        test: {
          ...common,
          name: "all",
          include: isLong ? [...long, "test/docs/examples.test.ts"] : all,
          // A file that is named is run, whichever it is.
          exclude: ["**/node_modules/**", ...timed, ...(isWhole && !isLong ? long : [])],
          // Twice the cores of a small machine: most of them wait for processes of theirs.
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "timed",
          include: isLong ? [] : timed,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
