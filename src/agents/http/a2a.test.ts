import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentStep } from "../../domain/index.ts";
import { executorConformance, stepBase, type Behaviour } from "../conformance.ts";
import { createLocalHost } from "../host/local.ts";
import { createShellExecutor } from "../shell/executor.ts";
import { createHttpExecutor } from "./executor.ts";
import { serveAgent } from "./serve.ts";

const TOKEN = "a-token-of-this-test-only";

function scriptOf(behaviour: Behaviour): string {
  switch (behaviour.does) {
    case "write":
      return `mkdir -p "$(dirname ${behaviour.path})"; printf '%s' '${behaviour.content}' > ${behaviour.path}`;
    case "lie":
      return "echo all done";
    case "fail":
      return `echo "${behaviour.reason}" >&2; exit 3`;
    case "hang":
      return `sleep ${behaviour.marker} & sleep ${behaviour.marker}`;
    case "ignore-signals":
      return `trap "" TERM INT; sleep ${behaviour.marker} & while :; do sleep ${behaviour.marker}; done`;
    case "leave-children":
      return `sleep ${behaviour.marker} & setsid sleep ${behaviour.marker} & sleep 0.1; echo done`;
    case "crash":
      return "kill -9 $$";
    case "flood":
      return "yes 'the same line again and again'";
    case "print":
      return `echo "${behaviour.text}"`;
    default:
      return "exit 99";
  }
}

/** Both ends are real: the http executor here, and there `serveAgent` with a shell that does what the prompt says. */
executorConformance("the http executor with a served agent over A2A", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-a2a-"));
  const served = await serveAgent({
    executor: createShellExecutor({ program: "sh" }),
    host: createLocalHost({
      home: join(folder, "stepfall"),
      clock: { now: () => Date.now() },
      mask: (text) => text,
      transcriptLimitBytes: 512 * 1024,
      grace: { termMs: 300, intMs: 100 },
    }),
    name: "shell",
    token: TOKEN,
    folder,
    lease: async () => ({ env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" }, release: async () => {} }),
  });
  const step: AgentStep = { ...stepBase, kind: "agent", prompt: "", agent: { capability: [] } };
  return {
    executor: createHttpExecutor({
      url: served.url,
      protocol: "a2a",
      token: TOKEN,
      mask: (text) => text.replaceAll("sk-conformance-1234567890", "***"),
    }),
    reportsTokens: false,
    arrange: async (behaviour) => ({ step, prompt: scriptOf(behaviour) }),
    cleanUp: async () => {
      await served.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
