import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { attemptId, runStream, type AgentStep, type GateResult, type RunEvent } from "../../domain/index.ts";
import { agentStepOf } from "../../domain/simulate.testkit.ts";
import { openSqliteStore, type CallRow, type Commit } from "../../store/index.ts";
import { runProgram } from "../program.ts";

/** A made-up ledger in a real store, and the commands that read it, in this process. */

export interface MadeUpAttempt {
  agent: string;
  tier: string;
  microUsd: number;
  /** Its gate's word. */
  isAccepted: boolean;
  /** What a person says of it later. */
  feedback?: "right" | "wrong";
}

export interface MadeUpRun {
  /** Attempts at its one step, in order. */
  attempts: readonly MadeUpAttempt[];
  policy?: string;
  at?: number;
}

export interface Told {
  code: number;
  text: string;
  notes: string;
  json: () => Record<string, unknown>;
}

export class MadeUpLedger {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "stepfall-ledger-")));
  readonly project = join(this.folder, "project");
  readonly home = join(this.folder, "home");
  #runs = 0;

  constructor(files: Readonly<Record<string, string>>) {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    for (const folder of [this.project, this.home]) mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.project, name), text);
    const who = ["-c", "user.name=Tester", "-c", "user.email=tester@localhost"];
    for (const args of [
      ["init", "--quiet"],
      ["add", "--all"],
      [...who, "commit", "--quiet", "--message", "start"],
    ])
      if (spawnSync("git", args, { cwd: this.project, env: { PATH: process.env["PATH"], HOME: this.folder } }).status !== 0)
        throw new Error(`git ${args[0]}`);
  }

  /** Writes runs, each with its journal, its calls and its row. */
  async write(runs: readonly MadeUpRun[], project = this.project): Promise<void> {
    const store = await openSqliteStore({ file: join(this.home, "stepfall.db"), clock: { now: () => Date.now() } });
    try {
      const all = runs.map((run) => this.#commitOf(run, project));
      await store.commit({ appends: all.flatMap((c) => c.appends ?? []), projections: all.flatMap((c) => c.projections ?? []) });
    } finally {
      await store.close();
    }
  }

  async run(...argv: string[]): Promise<Told> {
    const [data, notes]: [string[], string[]] = [[], []];
    const out = {
      data: (text: string) => void data.push(text),
      note: (text: string) => void notes.push(text),
      json: (value: unknown) => void data.push(JSON.stringify(value)),
      terminal: undefined,
      unread: new AbortController().signal,
      colour: false,
      flush: () => Promise.resolve(),
    };
    const env = {
      PATH: process.env["PATH"],
      HOME: this.folder,
      STEPFALL_HOME: this.home,
      OLLAMA_HOST: "http://127.0.0.1:9",
      LEDGER_KEY: "sk-made-up-9Wd2Kx",
    };
    const code = await runProgram({ argv, env, cwd: this.project, out, isInteractive: false, program: "stepfall" });
    const text = data.join("\n");
    return { code, text, notes: notes.join("\n"), json: () => JSON.parse(text) as Record<string, unknown> };
  }

  #commitOf({ attempts, policy, at = Date.now() - 60_000 }: MadeUpRun, project: string): Commit {
    const runId = `run${String(++this.#runs).padStart(4, "0")}`;
    const events: RunEvent[] = [];
    const calls: CallRow[] = [];
    const add = (...more: RunEvent[]): void => void events.push(...more);
    const pipeline = { name: "mend", steps: [step] };
    add({
      type: "RunStarted",
      data: { runId, pipeline, project, base: "c0", branch: `stepfall/${runId}`, agents: [], includeDirty: false },
    });
    attempts.forEach(({ agent, tier, microUsd, isAccepted }, i) => {
      const attempt = attemptId(runId, step.path, i + 1);
      const of = { attempt, step: step.path };
      const routed = { n: i + 1, tier, candidates: [agent], reasons: [], type: "fix", complexity: 4 };
      const usage = { calls: 1, inputTokens: 1000, cachedInputTokens: 0, outputTokens: 100, microUsd, provenance: "reported" as const };
      add({ type: "AttemptRouted", data: { ...of, ...routed, ...(policy === undefined ? {} : { policy }) } });
      add({ type: "AttemptStarted", data: { ...of, agent, node: "n", epoch: 1, queuedMs: 0 } });
      if (isAccepted) add({ type: "AttemptAccepted", data: { ...of, gates: [gate("passed")], usage } });
      else
        add({
          type: "AttemptRejected",
          data: { ...of, gates: [gate("refused")], findings: [{ gate: "sk-made-up-9Wd2Kx", message: "no" }], usage },
        });
      const { calls: _, ...tokens } = usage;
      const named = { callId: `call-${attempt}`, runId, attempt, agent, tier, provider: "p", model: agent };
      calls.push({ ...named, ...tokens, at: at + i, durationMs: 5, outcome: "ok", reservedMicroUsd: microUsd });
    });
    attempts.forEach(({ feedback }, i) => {
      if (feedback)
        add({
          type: "FeedbackGiven",
          data: { attempt: attemptId(runId, step.path, i + 1), step: step.path, verdict: feedback, by: "ann" },
        });
    });
    const row = {
      runId,
      project,
      pipeline: pipeline.name,
      branch: `stepfall/${runId}`,
      base: "c0",
      status: "succeeded" as const,
      stepsTotal: 1,
      stepsDone: 1,
    };
    return {
      appends: [{ stream: runStream(runId), expected: 0, events: events.map((event, i) => ({ event, at: at + i, actor: "test" })) }],
      projections: [
        { kind: "run", row: { ...row, startedAt: at, endedAt: at + 100 } },
        { kind: "calls", rows: calls },
      ],
    };
  }
}

/** Its name is a command with a key in it, as careless people write it. */
const gate = (verdict: GateResult["verdict"]): GateResult => ({
  name: "check --key sk-made-up-9Wd2Kx",
  kind: "command",
  verdict,
  durationMs: 2000,
});

const step: AgentStep = { ...agentStepOf("fix"), prompt: "Fix the total" };
