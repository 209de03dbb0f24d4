import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { executorConformance, stepBase, type BehaviourDriver } from "../conformance.ts";
import type { ExecutionContext } from "../contract.ts";
import { createLocalHost } from "../host/local.ts";
import { inSandbox, isolation, sandboxTitle } from "../sandbox/sandbox.testkit.ts";
import { createShellExecutor } from "./executor.ts";
import { shellScript } from "./script.testkit.ts";

const commandSteps = async (): Promise<BehaviourDriver> => ({
  executor: createShellExecutor(),
  reportsTokens: false,
  arrange: async (behaviour) => ({ step: { ...stepBase, kind: "command", command: shellScript(behaviour) }, prompt: "" }),
  cleanUp: async () => {},
});

executorConformance("the shell executor with command steps", commandSteps);

describe.skipIf(isolation.kind === "none")(sandboxTitle("in a sandbox"), () => {
  executorConformance("the shell executor", commandSteps, { within: inSandbox });
});

describe("an agent that is a program of the user's", () => {
  async function run(program: string | undefined, prompt: string) {
    const folder = mkdtempSync(join(tmpdir(), "stepfall-shell-"));
    try {
      const context: ExecutionContext = {
        host: createLocalHost({ home: join(folder, "home"), clock: { now: () => Date.now() }, mask: (text) => text }),
        workspace: { tree: folder, home: folder, tmp: folder },
        env: { PATH: "/usr/bin:/bin" },
        transcript: join(folder, "t.ndjson"),
        deadlineMs: 10_000,
        signal: new AbortController().signal,
        progress: () => {},
      };
      const step = { ...stepBase, kind: "agent", prompt, agent: { capability: [] } } as const;
      const task = { attempt: "r/s#1", runId: "r", prompt, feedback: [], step: { ...step, agent: { capability: [] }, needs: [] } };
      const result = await createShellExecutor(program === undefined ? {} : { program }).execute(task as never, context);
      const read = (name: string) => readFileSync(join(folder, name), "utf8");
      return { result, read: result.kind === "ended" ? { variable: read("variable"), stdin: read("stdin") } : undefined };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const program = 'printf "%s" "$STEPFALL_PROMPT" > variable; cat /dev/stdin > stdin';

  test("gets the prompt in a variable and on stdin", async () => {
    const { result, read } = await run(program, 'add `sum`, "quoted" $HOME\nsecond line é');
    expect(result.kind, JSON.stringify(result)).toBe("ended");
    expect(read).toEqual({ variable: 'add `sum`, "quoted" $HOME\nsecond line é', stdin: 'add `sum`, "quoted" $HOME\nsecond line é' });
  });

  test("gets a prompt of a megabyte whole on stdin, and its beginning in the variable", async () => {
    const prompt = "é".repeat(500_000);
    const { result, read } = await run(program, prompt);
    expect(result.kind, JSON.stringify(result)).toBe("ended");
    expect(read?.stdin).toBe(prompt);
    expect(read?.variable).toBe("é".repeat(48 * 1024));
  });

  test("may end without reading a long prompt", async () => {
    const { result } = await run("touch variable stdin; exec sh -c 'exit 0'", "x".repeat(3_000_000));
    expect(result.kind, JSON.stringify(result)).toBe("ended");
  });

  test("that is not configured is said, not skipped", async () => {
    const { result } = await run(undefined, "add sum");
    expect(result).toMatchObject({ kind: "failed", because: "internal", message: expect.stringContaining("no program") });
  });

  test("whose command is killed has crashed, though sh answers with a code", async () => {
    const { result } = await run("sh -c 'kill -SEGV $$'; exit $?", "");
    expect(result).toMatchObject({ kind: "failed", because: "crash", message: expect.stringContaining("SIGSEGV") });
  });
});
