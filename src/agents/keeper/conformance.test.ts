import { tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { executorConformance, stepBase } from "../conformance.ts";
import type { AgentHost } from "../contract.ts";
import { createShellExecutor } from "../shell/executor.ts";
import { shellScript } from "../shell/script.testkit.ts";
import type { KeeperHost } from "./contract.ts";
import { keeperHost, withMarker } from "./keeper.testkit.ts";

let keepers: KeeperHost;

/** Each attempt of the suite has its own name, which the host hears first in `spawn`. */
const anyAttempt = (local: AgentHost): AgentHost => ({
  ...local,
  spawn: (spec) =>
    spec.role === "preflight" ? local.spawn(spec) : keepers.forAttempt({ attempt: spec.attempt, epoch: 1, takeUp: false }).spawn(spec),
});

executorConformance(
  "the shell executor on a keeper",
  async () => {
    const home = mkdtempSync(join(tmpdir(), "stepfall-kept-"));
    keepers = keeperHost(home, {
      secrets: () => ["sk-conformance-1234567890"],
      transcriptLimitBytes: 512 * 1024,
      grace: { termMs: 300, intMs: 100 },
    });
    return {
      executor: createShellExecutor(),
      reportsTokens: false,
      arrange: async (behaviour) => ({ step: { ...stepBase, kind: "command", command: shellScript(behaviour) }, prompt: "" }),
      cleanUp: async () => {
        for (const attempt of keepers.list()) {
          await keepers.forget(attempt);
          expect(withMarker(attempt)).toEqual([]);
        }
        expect(keepers.list()).toEqual([]);
        rmSync(home, { recursive: true, force: true });
      },
    };
  },
  { within: (local) => Promise.resolve(anyAttempt(local)) },
);
