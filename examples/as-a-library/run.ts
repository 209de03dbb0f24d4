// Drives a run from a program of your own. In a folder with `npm i stepfall` and Node 22.18 or newer: node run.ts PROJECT
import { mkdtemp } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import {
  createEngine,
  createLocalHost,
  createShellExecutor,
  formatHolder,
  formatProblems,
  openProject,
  openSqliteStore,
  openWorkspaces,
  parsePipeline,
  processStartTime,
  Registry,
  SHELL_AGENT,
  type AgentExecution,
  type Clock,
} from "stepfall";

const parsed = parsePipeline(
  `name: two-files
steps:
  a: { command: "echo a > a.txt", outputs: [a.txt] }
  b: { command: "cat a.txt > b.txt", needs: [a], outputs: [b.txt], gates: ["grep -q a b.txt"] }
`,
  "two-files",
);
if (!parsed.ok) throw new Error(formatProblems(parsed.problems));

const project = await openProject(process.argv[2] ?? ".", { env: process.env });
const home = process.env["STEPFALL_HOME"] ?? (await mkdtemp(join(tmpdir(), "stepfall-library-")));
const clock: Clock = { now: Date.now };

// Command steps need no model: the shell is the only agent.
const registry = new Registry<AgentExecution>();
registry.register({
  id: SHELL_AGENT,
  tier: "free",
  capabilities: [],
  takesPrompts: false,
  executorKind: "shell",
  account: SHELL_AGENT,
  executor: { executor: createShellExecutor(), maxOutputTokens: 0 },
});

const mask = (text: string): string => text;
const store = await openSqliteStore({ file: join(home, "stepfall.db"), clock });
const workspaces = openWorkspaces({ project, home });
const engine = createEngine({
  store,
  clock,
  home,
  node: formatHolder({ host: hostname(), pid: process.pid, startTime: processStartTime(process.pid) ?? "" }),
  registry,
  host: createLocalHost({ home, clock, mask }),
  gateway: () => Promise.reject(new Error("no step of this pipeline calls a model")),
  slots: 2,
  baseEnv: { PATH: process.env["PATH"] ?? "" },
  protected: [],
  setup: [],
  mask,
  // Nothing is known of other drivers: their leases have to run out.
  isDead: () => false,
  onFeed: (item) => item.kind === "event" && console.error(item.event.type),
});

const runId = `library-${clock.now()}`;
try {
  await engine.start({
    runId,
    pipeline: parsed.pipeline,
    workspaces,
    project: project.top,
    base: project.head,
    includeDirty: false,
    actor: "example",
  });
  const end = await engine.drive(runId, { workspaces });
  const run = await engine.load(runId);
  console.log(JSON.stringify({ end, branch: run.branch, steps: [...run.steps].map(([id, step]) => [id, step.status]) }));
} finally {
  engine[Symbol.dispose]();
  await workspaces.close();
  await store.close();
}
