import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { DEFAULT_TIERS } from "../config/index.ts";
import type { AgentHost, AttemptTask, ExecutionContext, ExecutionResult } from "../agents/index.ts";
import type { AgentStep, Pipeline } from "../domain/index.ts";
import { Registry } from "../fleet/index.ts";
import { openSqliteStore, type Store } from "../store/index.ts";
import type { Workspaces } from "../workspace/index.ts";
import { createEngine, type AgentExecution, type Engine, type EngineDeps } from "./index.ts";

/**
 * The engine on a real store, with agents that are functions of the test: readonly steps that need no workspace and no process. What
 * needs git, processes and models is tested in test/acceptance and test/crash.
 */
export const readonlyStep = (path: string, needs: string[] = [], more: Partial<AgentStep> = {}): AgentStep => ({
  kind: "agent",
  prompt: path,
  agent: { capability: [] },
  path,
  needs,
  readonly: true,
  outputs: { files: [] },
  gates: [],
  setup: [],
  retry: { attempts: 1, backoffMs: 0 },
  timeoutMs: 60_000,
  env: {},
  touches: [],
  priority: 0,
  ...more,
});

export const pipelineOf = (...steps: AgentStep[]): Pipeline => ({ name: "p", steps });

export type Behaviour = (task: AttemptTask, context: ExecutionContext) => Promise<ExecutionResult>;

export const noBranches = {
  createRunBranch: () => Promise.resolve(),
  cleanRun: () => Promise.resolve(),
  tip: () => Promise.resolve("0".repeat(40)),
} as unknown as Workspaces;

const clock = { now: (): number => Date.now() };

export function scratchHome(): string {
  const home = mkdtempSync(join(tmpdir(), "stepfall-engine-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** A store of its own on the home's database: a second call stands for a second process. */
export async function storeOn(home: string): Promise<Store> {
  const store = await openSqliteStore({ file: join(home, "stepfall.db"), clock });
  onTestFinished(() => store.close());
  return store;
}

export interface TestEngine {
  engine: Engine;
  deps: EngineDeps;
  start(runId: string, pipeline: Pipeline): Promise<void>;
}

export async function engineOn(
  home: string,
  behave: Behaviour,
  more: Partial<EngineDeps> & { accountSlots?: number; agents?: string[]; executorKind?: string } = {},
): Promise<TestEngine> {
  const { accountSlots, agents = ["fn"], executorKind = "test", ...overrides } = more;
  const store = overrides.store ?? (await storeOn(home));
  const registry = new Registry<AgentExecution>();
  if (accountSlots !== undefined) registry.limitAccount("acc", accountSlots);
  for (const id of agents) {
    registry.register({
      id,
      tier: "free",
      capabilities: [],
      takesPrompts: true,
      executorKind,
      account: "acc",
      executor: {
        executor: {
          kind: executorKind,
          needsWorkspace: false,
          preflight: () => Promise.resolve({ ok: true, detail: "" }),
          execute: behave,
        },
        maxOutputTokens: 0,
      },
    });
  }
  const deps: EngineDeps = {
    clock,
    home,
    node: "test:1:1",
    registry,
    routing: () => ({ tiers: DEFAULT_TIERS, defaultAgent: agents[0] }),
    host: { endLeftovers: () => Promise.resolve([]) } as unknown as AgentHost,
    gateway: () => Promise.reject(new TypeError("these agents have no model")),
    slots: 4,
    baseEnv: {},
    protected: [],
    setup: [],
    mask: (text) => text,
    isDead: () => false,
    ...overrides,
    store,
  };
  const engine = createEngine(deps);
  onTestFinished(() => engine[Symbol.dispose]());
  return {
    engine,
    deps,
    start: (runId, pipeline) =>
      engine.start({ runId, pipeline, workspaces: noBranches, project: "/p", base: "0".repeat(40), includeDirty: false, actor: "test" }),
  };
}
