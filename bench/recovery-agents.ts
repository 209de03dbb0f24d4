import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createKeeperHost, isAlive, type KeeperHost, type ProcessRecord } from "../src/agents/index.ts";
import { Scene, type Running } from "../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedAnswer, type ScriptFunction, type ScriptedModel } from "../src/models/index.ts";
import { keptBy } from "../test/acceptance/run-journal.testkit.ts";
import { programOf, realAgent } from "../test/agents/catalogue.ts";
import { availableBytes, MemoryWatch, type Memory, type Peaks } from "./recovery-memory.ts";

export interface AgentsOutcome {
  agents: number;
  /** Steps whose file is in the run's branch. */
  accepted: number;
  /** Attempts that were not taken up by the second engine, agent processes that were started again, and attempts beyond the first. */
  restarted: number;
  reattached: number;
  /** From the start of the run until the last agent had said its first word. */
  upSeconds: number;
  /** From the start of `stepfall resume` until the last attempt was taken up. */
  reattachMs: number;
  /** From the start of the run to its end. */
  seconds: number;
  peaks: Peaks;
  /** More than one: it was lost on the way, and started anew. */
  gateways: number;
  /** Of one agent with its tools, by program, at the time when all worked. */
  agentMemory: Record<Program, Memory>;
  /** Why it is not as it should be. */
  problems: string[];
}

const MB = 1024 ** 2;
/** What an agent was seen to take, and what Qwen Code takes on top for some seconds while it begins. */
const BYTES_FOR_AN_AGENT = 430 * MB;
const BYTES_FOR_BEGINNING_QWEN = 1200 * MB;
/** With less than this left of the machine all is ended, before the kernel chooses what to end. */
const LEAST_LEFT_BYTES = 1024 * MB;
const LOOK_MS = 500;
/** Every so-maniest agent is Qwen Code, all others Gemini CLI. */
const QWEN_EVERY = 6;

/**
 * So many real agents at once, gemini and some qwen, each with its keeper, in one run of the real program; only the model is scripted. When the
 * last of them works the engine is killed, and `stepfall resume` takes all of them up; then they are let write their files.
 */
export async function runAgentsAtOnce({
  agents,
  programs,
  patienceMs,
}: {
  agents: number;
  /** `ours`: the chat agent of this project in place of them, which is there a good deal sooner. */
  programs: "real" | "ours";
  patienceMs: number;
}): Promise<AgentsOutcome> {
  const programAt = programs === "real" ? realProgramAt : (): Program => "chat";
  const needed = agents * BYTES_FOR_AN_AGENT + Math.ceil(agents / QWEN_EVERY) * BYTES_FOR_BEGINNING_QWEN;
  if (programs === "real" && availableBytes() < needed)
    throw new Error(`${agents} agents take up to ${gigabytes(needed)} GB, and the machine has ${gigabytes(availableBytes())} GB left`);
  const begun = new Set<number>();
  await using scene = new Scene();
  const go = join(scene.folder, "go");
  const model = await startScriptedModel({ script: waitingFor(go, begun) });
  writeProject(scene, model, agents, programAt);
  const keepers = createKeeperHost({ home: scene.home, clock: { now: () => Date.now() }, mask: (text) => text, secrets: () => [] });
  const began = performance.now();
  const deadline = began + patienceMs;
  const args = ["--slots", String(agents), "--json"];
  let engine: Running = scene.start(["run", "p.yaml", ...args]);
  const watch = new MemoryWatch(scene.home, keepers, () => engine.child.pid ?? 0);
  const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await holds())) {
      watch.look();
      const { exitCode, signalCode } = engine.child;
      const how = exitCode ?? signalCode;
      if (how !== null) throw new Error(`the engine ended with ${how} before ${what}: ${(await engine.ended).stderr}`);
      if (availableBytes() < LEAST_LEFT_BYTES)
        throw new Error(`the machine's memory is used up (${begun.size} of ${agents} agents have begun)`);
      if (performance.now() > deadline) throw new Error(`not in time: ${what} (${begun.size} of ${agents} agents have begun)`);
      await sleep(LOOK_MS);
    }
  };
  try {
    await until("all agents worked", () => begun.size === agents);
    const upSeconds = (performance.now() - began) / 1000;
    const before = agentsUnder(keepers);
    const memoryOf = (program: Program): Memory =>
      watch.agentOf(keepers.list().filter((attempt) => programAt(Number(/\/s(\d+)#/.exec(attempt)?.[1])) === program));
    const agentMemory = { gemini: memoryOf("gemini"), qwen: memoryOf("qwen"), chat: memoryOf("chat") };
    engine.child.kill("SIGKILL");
    await engine.ended;
    const resumed = performance.now();
    const resumedAt = Date.now();
    engine = scene.start(["resume", "--wait", "--json"]);
    await until("all agents were taken up", async () => (await keptBy(scene)).of("AttemptReattached").length >= agents);
    const reattachMs = performance.now() - resumed;
    const living = before.filter((agent) => isAlive(agent)).length;
    watch.lookNow();
    writeFileSync(go, "");
    const ended = await Promise.race([engine.ended, watch.until(engine.ended, deadline)]);
    if (!ended) throw new Error(`the run did not end in time`);
    const seconds = (performance.now() - began) / 1000;
    const kept = await keptBy(scene);
    const files = scene.git("ls-tree", "-r", "--name-only", `stepfall/${kept.runId}`).split("\n");
    const accepted = kept.of("StepCompleted").filter(({ data }) => files.includes(`file-${data.step.slice(1)}.txt`)).length;
    const reattached = new Set(kept.of("AttemptReattached").map(({ data }) => data.attempt)).size;
    const further = kept.of("AttemptStarted").length - agents;
    const notEnded = [...kept.of("AttemptInterrupted"), ...kept.of("AttemptFailed"), ...kept.of("AttemptRejected")];
    return {
      agents,
      accepted,
      restarted: Math.max(further, agents - reattached, agents - living, agents - before.length),
      reattached,
      upSeconds,
      reattachMs,
      seconds,
      peaks: watch.peaks,
      gateways: watch.gateways.size,
      agentMemory,
      problems: [
        ...(ended.code === 0 ? [] : [`the run ended with ${ended.code ?? ended.signal}: ${ended.stderr.slice(-1000)}`]),
        ...notEnded.map(({ at, data }) => `${(at - resumedAt) / 1000} s after the resumption: ${JSON.stringify(data).slice(0, 300)}`),
      ],
    };
  } finally {
    engine.child.kill("SIGKILL");
    for (const attempt of keepers.list()) {
      await keepers.endLeftovers(attempt);
      await keepers.forget(attempt);
    }
    await model.close();
  }
}

function writeProject(scene: Scene, model: ScriptedModel, agents: number, programAt: ProgramAt): void {
  const agent = (preset: "gemini" | "qwen"): string =>
    `{ executor: acp, preset: ${preset}, command: [${JSON.stringify(programOf(realAgent(preset)))}, --acp], model: made-up/m, account: ${preset} }`;
  const steps = Array.from(
    { length: agents },
    (_, i) => `  s${i}: { prompt: Write file-${i}.txt, agent: ${programAt(i)}, outputs: [file-${i}.txt], timeout: 20m }\n`,
  );
  scene.write({
    "stepfall.yaml": `agents:\n  gemini: ${agent("gemini")}\n  qwen: ${agent("qwen")}\n  chat: { executor: chat, model: made-up/m }\nproviders: { made-up: { url: "${model.baseUrl}", local: true, protocol: [chat, gemini] } }\n`,
    "p.yaml": `steps:\n${steps.join("")}`,
  });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "pipeline");
}

type Program = "gemini" | "qwen" | "chat";
type ProgramAt = (step: number) => Program;
const realProgramAt: ProgramAt = (step) => (step % QWEN_EVERY === 1 ? "qwen" : "gemini");
/** What their shells are called. */
const shells = ["run_shell_command", "run_command"];

/**
 * A tool call that waits for a file, for 20 seconds at most, again and again until it is there: agents end tools that take longer than they like, and
 * stop a model that repeats itself word for word. Then one that writes.
 */
function waitingFor(go: string, begun: Set<number>): ScriptFunction {
  const written = new Set<number>();
  return ({ messages, prompt, tools, toolResults }): ScriptedAnswer => {
    const all = JSON.stringify(prompt) + messages.map((m) => m.content).join("\n");
    const step = Number(/Write file-(\d+)\.txt/.exec(all)?.[1] ?? Number.NaN);
    // What an agent asks on the side offers no tools.
    const shell = shells.find((name) => tools.includes(name));
    if (Number.isNaN(step) || shell === undefined) return { text: "{}" };
    begun.add(step);
    if (written.has(step)) return { text: `I wrote file-${step}.txt.` };
    const isTime = existsSync(go);
    if (isTime) written.add(step);
    const command = isTime
      ? `echo ${step} > file-${step}.txt`
      : `for i in $(seq 20); do if [ -e ${go} ]; then break; fi; sleep 1; done; echo look ${toolResults}`;
    return { toolCalls: [{ name: shell, arguments: { command, description: "work", is_background: false } }] };
  };
}

const agentsUnder = (keepers: KeeperHost): ProcessRecord[] =>
  keepers.list().flatMap((attempt) => keepers.kept(attempt).flatMap(({ agent }) => agent ?? []));

const gigabytes = (bytes: number): string => (bytes / 1024 ** 3).toFixed(1);
