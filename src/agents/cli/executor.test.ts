import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { AgentStep } from "../../domain/index.ts";
import { startScriptedModel } from "../../models/index.ts";
import { executorConformance, stepBase, type Behaviour } from "../conformance.ts";
import type { ExecutionContext } from "../contract.ts";
import { createLocalHost } from "../host/local.ts";
import { presets } from "../presets/table.ts";
import { createCliExecutor, type CliExecutorOptions } from "./executor.ts";

/**
 * A scripted program in Claude Code's place: it says what Claude Code says, and does what a test needs done. The real ones are
 * run by `npm run test:agents`.
 */
const init = '{"type":"system","subtype":"init","session_id":"s-1"}';
const answer = '{"type":"assistant","message":{"id":"m1","model":"m","content":[{"type":"text","text":"ok"}]}}';
const usage = { input_tokens: 6, cache_creation_input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 7 };
const result = (change: object = {}) =>
  JSON.stringify({ type: "result", subtype: "success", is_error: false, result: "All done.", usage, session_id: "s-1", ...change });
const echo = (...lines: string[]) => lines.map((line) => `cat <<'EVENT'\n${line}\nEVENT`).join("\n");
const write = (path: string) =>
  JSON.stringify({
    type: "assistant",
    message: { id: "m1", model: "m", content: [{ type: "tool_use", id: "t1", name: "Write", input: { file_path: path } }] },
  });

function scriptOf(behaviour: Behaviour): string | undefined {
  const done = echo(answer, result());
  switch (behaviour.does) {
    case "write":
      return `${echo(init, write(behaviour.path))}\nmkdir -p "$(dirname ${behaviour.path})"; printf '%s' '${behaviour.content}' > ${behaviour.path}\n${done}`;
    case "lie":
      return echo(init, answer, result());
    case "fail":
      return `${echo(init, result({ is_error: true, subtype: "error_during_execution", result: behaviour.reason }))}\nexit 1`;
    case "hang":
      return `${echo(init)}\nsleep ${behaviour.marker} & sleep ${behaviour.marker}`;
    case "ignore-signals":
      return `trap "" TERM INT; sleep ${behaviour.marker} & while :; do sleep ${behaviour.marker}; done`;
    case "leave-children":
      return `sleep ${behaviour.marker} & setsid sleep ${behaviour.marker} & sleep 0.1\n${done}`;
    case "crash":
      return `${echo(init)}\nkill -9 $$`;
    case "flood":
      return "yes 'the same line again and again'";
    case "print":
      return `${echo(init, behaviour.text)}\n${done}`;
    default:
      return undefined;
  }
}

const step: AgentStep = { ...stepBase, kind: "agent", prompt: "add sum", agent: { capability: [] } };
const gateway = { url: "http://127.0.0.1:9/v1", key: "sf-key", model: "scripted" };

executorConformance(
  "the cli executor with a scripted program",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "stepfall-cli-"));
    const program = join(folder, "program.sh");
    const model = await startScriptedModel({ script: { rules: [] } });
    return {
      executor: createCliExecutor({ preset: presets.claude, command: ["sh", program] }),
      reportsTokens: true,
      arrange: async (behaviour) => {
        writeFileSync(program, scriptOf(behaviour) ?? "exit 3");
        return { step, prompt: "add sum", gateway: { ...gateway, url: model.baseUrl } };
      },
      cleanUp: async () => {
        await model.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
  {
    cannot: { ask: "driven by its command line it asks nobody", resume: "the scripted program keeps no session" },
  },
);

interface Run extends Partial<Omit<CliExecutorOptions, "preset">> {
  preset?: "claude" | "codex";
  step?: Partial<AgentStep>;
  resume?: string;
  context?: Partial<ExecutionContext>;
}

async function run(program: string, { preset = "claude", step: change, resume, context, ...options }: Run = {}) {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of ["tree", "home", "tmp"]) mkdirSync(join(folder, part));
  writeFileSync(join(folder, "program.sh"), program);
  const progress: string[] = [];
  const executor = createCliExecutor({ preset: presets[preset], command: ["sh", join(folder, "program.sh")], ...options });
  const executed = await executor.execute(
    {
      attempt: `run-${process.pid}/cli#1`,
      runId: "run",
      step: { ...step, ...change },
      prompt: "add sum\nplease",
      feedback: [],
      ...(resume === undefined ? {} : { resume }),
    },
    {
      host: createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text }),
      workspace: { tree: join(folder, "tree"), home: join(folder, "home"), tmp: join(folder, "tmp") },
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: join(folder, "home") },
      transcript: join(folder, "t.ndjson"),
      deadlineMs: 20_000,
      signal: new AbortController().signal,
      gateway,
      progress: (text) => void progress.push(text),
      ...context,
    },
  );
  return { result: executed, progress, read: (name: string) => readFileSync(join(folder, name), "utf8") };
}

test("gets the prompt on stdin, the gateway in its environment, and its arguments", async () => {
  const { result: executed, read } = await run(
    `cat > prompt; printf '%s ' "$@" > args; env > environment\n${echo(init, answer, result())}`,
  );
  expect(executed).toEqual({
    kind: "ended",
    summary: "All done.",
    session: "s-1",
    reported: { calls: 1, inputTokens: 11, cachedInputTokens: 5, outputTokens: 7 },
  });
  expect(read("tree/prompt")).toBe("add sum\nplease");
  expect(read("tree/args")).toContain("-p --output-format stream-json --verbose --permission-mode acceptEdits");
  expect(read("tree/environment")).toContain("ANTHROPIC_BASE_URL=http://127.0.0.1:9\n");
  expect(read("tree/environment")).toContain("ANTHROPIC_API_KEY=sf-key\n");
});

test("writes the settings of codex into its own HOME before it starts", async () => {
  const { result: executed, read } = await run('cat "$CODEX_HOME/config.toml" > config; echo \'{"type":"turn.completed"}\'', {
    preset: "codex",
  });
  expect(executed).toMatchObject({ kind: "ended" });
  expect(read("tree/config")).toContain('base_url = "http://127.0.0.1:9/v1"');
});

test("exit 0 without a last event is not success", async () => {
  const { result: executed } = await run(`${echo(init, answer)}\necho 'I give up' >&2`);
  expect(executed).toMatchObject({ kind: "failed", because: "crash", message: expect.stringContaining("exit 0 and no word") });
  expect(executed).toMatchObject({ message: expect.stringContaining("I give up"), session: "s-1" });
});

test("an error in the last event is a failure, also with exit 0", async () => {
  const failure = result({ is_error: true, api_error_status: 401, result: "Invalid API key" });
  expect((await run(echo(init, failure))).result).toMatchObject({ kind: "failed", because: "provider", message: "Invalid API key" });
});

test("success in the last event and a failing exit contradict each other: a failure", async () => {
  expect((await run(`${echo(init, result())}\nexit 9`)).result).toMatchObject({ kind: "failed", because: "crash" });
});

test("malformed lines are passed over, unless they are all there is", async () => {
  expect((await run(`echo '{"type":"res'; echo hello\n${echo(result())}`)).result).toMatchObject({ kind: "ended" });
  expect((await run(`echo '{"type":"res'; echo hello`)).result).toMatchObject({
    kind: "failed",
    message: expect.stringContaining("hello"),
  });
});

test("an event with a whole file in it is understood", async () => {
  const { result: executed } = await run(
    `printf '{"type":"user","text":"'; head -c 300000 /dev/zero | tr '\\0' x; echo '"}'\n${echo(result())}`,
  );
  expect(executed).toMatchObject({ kind: "ended" });
});

test("a step that wants to be asked is refused before anything starts, with what to use", async () => {
  const { result: executed, read } = await run("touch started", { step: { permissions: "ask" } });
  expect(executed).toMatchObject({ kind: "failed", because: "setup", message: expect.stringContaining("preset: claude-agent-acp") });
  expect(() => read("tree/started")).toThrow();
});

test("a session that is gone is started anew, in the same attempt", async () => {
  const gone = result({
    is_error: true,
    subtype: "error_during_execution",
    result: undefined,
    errors: ["No conversation found with session ID: s-0"],
  });
  const program = `case "$*" in *--resume*) ${echo(gone)}\nexit 1;; esac\n${echo(init, answer, result())}`;
  const { result: executed, progress } = await run(program, { resume: "s-0" });
  expect(executed).toMatchObject({ kind: "ended", session: "s-1" });
  expect(progress).toContain("the earlier session is gone: starting anew");
});

test("in direct mode nothing is written or set, and no gateway is needed", async () => {
  const { result: executed, read } = await run(`env > environment\n${echo(result())}`, {
    context: { credentials: "direct" },
    model: "opus",
  });
  expect(executed).toMatchObject({ kind: "ended" });
  expect(read("tree/environment")).not.toContain("ANTHROPIC_BASE_URL");
  expect(read("tree/environment")).toContain("ANTHROPIC_MODEL=opus\n");
});

test("a program that is not there fails, and preflight says how to get it", async () => {
  const { result: executed } = await run("", { command: ["stepfall-no-such-program"] });
  expect(executed).toMatchObject({ kind: "failed", because: "setup" });
  const scratch = mkdtempSync(join(tmpdir(), "stepfall-cli-"));
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
  const host = createLocalHost({ home: join(scratch, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text });
  const preflight = createCliExecutor({ preset: presets.claude, command: ["stepfall-no-such-program"] }).preflight({
    host,
    env: { PATH: "/usr/bin:/bin" },
    scratch,
    signal: new AbortController().signal,
  });
  expect(await preflight).toMatchObject({ ok: false, hint: expect.stringContaining("npm install -g @anthropic-ai/claude-code") });
});
