import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Workload } from "./contract.ts";
import { loadWorkload, readWorkload } from "./read-workload.ts";

const read = (text: string, base = tmpdir()): Workload => {
  const answer = readWorkload(text, "w.yaml", base);
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems, undefined, 1));
  return answer.workload;
};
/** `line:col code message | hint` of each problem. */
const problems = (text: string, base = tmpdir()): string[] => {
  const answer = readWorkload(text, "w.yaml", base);
  return answer.ok ? [] : answer.problems.map((p) => `${p.line}:${p.col} ${p.code} ${p.message} | ${p.hint}`);
};
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "stepfall-workload-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test("a task is a step that one agent may try once; what looks like an expression is text", () => {
  const { name, tasks, agents } = read(`name: w
agents: [a, b, a]
repeat: 2
timeout: 5m
tasks:
  one: { type: fix, complexity: 3, prompt: "Use \${{ x }}", gates: ["echo '\${{ y }}'", { diff: { max-files: 1 } }], files: { src/a.txt: hi } }
  two: { type: docs, complexity: 9, prompt: Tell, outputs: [a.md], repeat: 1, timeout: 1h }
`);
  expect([name, agents, tasks.map((t) => [t.id, t.complexity, t.repeat, t.step.type, t.step.timeoutMs])]).toEqual([
    "w",
    ["a", "b"],
    [
      ["one", 3, 2, "fix", 300_000],
      ["two", 9, 1, "docs", 3_600_000],
    ],
  ]);
  const [one] = tasks;
  expect(one?.step).toMatchObject({ prompt: "Use ${{ x }}", escalate: false, retry: { attempts: 1 }, agent: { capability: [] } });
  expect(one?.step.dynamic).toBeUndefined();
  expect(one?.step.gates).toMatchObject([
    { kind: "command", command: "echo '${{ y }}'" },
    { kind: "diff", mostFiles: 1 },
  ]);
  expect(one?.files.map((f) => [f.path, f.content.toString()])).toEqual([["src/a.txt", "hi"]]);
});

test("everything that is wrong is told at once, where it stands and what to do, whether a workload's or a step's", () => {
  const text = `name: w
tasks:
  one:
    type: fixx
    complexity: 11
    prompt: Do it
    gates: [make]
    agent: me
  two:
    type: fix
    complexity: 2
    prompt: Do it
    gates:
      - make
      - diff: { max-file: 3 }
    timeout: soon
  three: { type: plan, complexity: 2, prompt: Do it }
  Four: { type: plan, complexity: 2, prompt: Do it, gates: [make] }
  five: { type: plan, prompt: Do it, gates: [make], files: { ../x: a } }
  six: { type: plan, complexity: 1, prompt: Do it, gates: [make], files: { ../x: a } }
`;
  expect(problems(text)).toEqual([
    expect.stringMatching(/^4:11 BAD_VALUE tasks\.one\.type: expected one of .* \| Did you mean `fix`\?/),
    expect.stringMatching(/^5:17 BAD_VALUE tasks\.one\.complexity: must be at most 10/),
    expect.stringMatching(/^8:5 UNKNOWN_KEY .*`agent` is not a key of a task \| Write `agents` at the top/),
    expect.stringMatching(/^15:17 UNKNOWN_KEY tasks\.two\.gates\.1.*`max-file`.* \| Did you mean `max-files`\?/),
    expect.stringMatching(/^16:14 BAD_DURATION tasks\.two\.timeout: "soon" is not a duration/),
    expect.stringMatching(/^17:\d+ STEP_NO_CONTRACT /),
    expect.stringMatching(/^18:3 BAD_ID /),
    expect.stringMatching(/^19:\d+ MISSING_KEY `complexity` is missing/),
    expect.stringMatching(/^20:\d+ BAD_PATH .*"\.\.\/x" leaves the project/),
  ]);
  expect(problems("- a")).toEqual([expect.stringMatching(/^1:1 NOT_A_MAP/)]);
  expect(problems("name: w\nstep: {}\ntasks: {}")).toEqual([expect.stringMatching(/^2:1 UNKNOWN_KEY/)]);
  expect(problems("name: w\ntasks: {}")).toEqual([expect.stringMatching(/^2:8 NO_STEPS/)]);
});

test("a folder beside the workload is what a task begins with; what leads out of it is refused", () => {
  const base = folder();
  mkdirSync(join(base, "t", "src"), { recursive: true });
  writeFileSync(join(base, "t", "src", "a.sh"), "echo a\n", { mode: 0o755 });
  writeFileSync(join(base, "t", "b.txt"), "b");
  const task = (files: string): string =>
    `name: w\ntasks: { one: { type: fix, complexity: 1, prompt: Do, gates: [make], files: ${files} } }`;
  expect(read(task("t"), base).tasks[0]?.files.map((f) => [f.path, f.isExecutable])).toEqual([
    ["b.txt", false],
    ["src/a.sh", true],
  ]);
  symlinkSync(base, join(base, "t", "link"));
  symlinkSync(tmpdir(), join(base, "out"));
  expect(problems(task("t"), base)[0]).toMatch(/t\/link is neither a file nor a folder/);
  expect(problems(task("../t"), base)[0]).toMatch(/BAD_PATH/);
  expect(problems(task("out"), base)[0]).toMatch(/FILE_MISSING/);
  expect(problems(task("gone"), base)[0]).toMatch(/FILE_MISSING There is no folder gone beside the workload/);
});

test("the example is one, at five levels of code and three other kinds of work", () => {
  const file = new URL("../../../examples/workload/workload.yaml", import.meta.url).pathname;
  const answer = loadWorkload(file, "workload.yaml");
  expect(answer).toMatchObject({ ok: true });
  const tasks = answer.ok ? answer.workload.tasks : [];
  const code = tasks.filter((t) => ["fix", "feature", "concurrency"].includes(t.step.type));
  expect(code.map((t) => t.complexity)).toEqual([1, 3, 5, 7, 9]);
  expect(tasks.filter((t) => !code.includes(t)).map((t) => t.step.type)).toEqual(["plan", "research", "docs"]);
});
