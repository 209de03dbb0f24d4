import { setTimeout as sleep } from "node:timers/promises";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { parseAttemptId } from "../../src/domain/index.ts";
import { startScriptedModel, type ScriptedAnswer, type ScriptedRequest, type ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { programOf, realAgent } from "./catalogue.ts";

/** What is made to go wrong with an attempt of a real agent; the model behind it is scripted. */
export type InjectedFault = "none" | "crash" | "hang" | "lie" | "malformed";

export interface FaultyRun {
  steps: number;
  /** What goes wrong with the n-th attempt (from 1) at the i-th step (from 0). */
  fault(step: number, attempt: number): InjectedFault;
  slots: number;
  timeout: string;
}

export interface FaultyOutcome {
  seconds: number;
  attempts: number;
  injected: number;
  accepted: number;
  steps: number;
  /** Attempts whose end was not recorded as what it was, each with what was said. */
  untrue: string[];
}

/** Steps for real gemini and qwen in turns, each to write a file of its own, in one run of the real program. */
export async function runWithFaults({ steps, fault, slots, timeout }: FaultyRun): Promise<FaultyOutcome> {
  const model = await startScriptedModel({ script: scriptOf(fault) });
  const agent = (preset: "gemini" | "qwen"): string =>
    `{ executor: acp, preset: ${preset}, command: [${JSON.stringify(programOf(realAgent(preset)))}, --acp], model: made-up/m, account: ${preset} }`;
  const lines = Array.from(
    { length: steps },
    (_, i) =>
      `  s${i}: { prompt: Write file-${i}.txt, agent: ${i % 2 === 0 ? "gem" : "qwen"}, outputs: [file-${i}.txt], timeout: ${timeout}, retry: 3 }\n`,
  );
  await using scene = new Scene({
    "stepfall.yaml": `agents:\n  gem: ${agent("gemini")}\n  qwen: ${agent("qwen")}\nproviders: { made-up: { url: "${model.baseUrl}", local: true, protocol: [chat, gemini] } }\n`,
    "p.yaml": `steps:\n${lines.join("")}`,
  });
  const began = performance.now();
  try {
    const ended = await scene.run(["run", "p.yaml", "--slots", String(slots)]);
    const seconds = (performance.now() - began) / 1000;
    if (ended.code !== 0 && ended.code !== 1) throw new Error(`the run ended with ${ended.code}:\n${ended.stdout}\n${ended.stderr}`);
    const kept = await keptBy(scene);
    const said = new Map<string, string>();
    for (const { data } of kept.of("AttemptAccepted")) said.set(data.attempt, "accepted");
    for (const { data } of kept.of("AttemptRejected"))
      said.set(data.attempt, `rejected: ${data.findings.map((f) => f.message).join("; ")}`);
    for (const { data } of kept.of("AttemptFailed")) said.set(data.attempt, `failed (${data.kind}): ${data.message}`);
    for (const { data } of kept.of("AttemptInterrupted")) said.set(data.attempt, `interrupted: ${data.because}`);
    const untrue: string[] = [];
    let injected = 0;
    for (const [id, what] of said) {
      const ref = parseAttemptId(id);
      const meant = ref ? fault(Number(ref.stepPath.slice(1)), ref.n) : "none";
      if (meant !== "none") injected += 1;
      if (!isTrue(meant, what)) untrue.push(`${id} was made to ${meant === "none" ? "go well" : meant}: ${what.slice(0, 300)}`);
    }
    // A step is accepted when its file is in the branch, not because somebody said so.
    const files = scene.git("ls-tree", "-r", "--name-only", `stepfall/${kept.runId}`).split("\n");
    const completed = kept.of("StepCompleted").filter(({ data }) => files.includes(`file-${data.step.slice(1)}.txt`));
    return { seconds, attempts: said.size, injected, accepted: completed.length, steps, untrue };
  } finally {
    await model.close();
  }
}

function isTrue(fault: InjectedFault, what: string): boolean {
  switch (fault) {
    case "none":
      return what === "accepted";
    case "crash":
      return what.startsWith("failed (crash)");
    case "hang":
      return what.startsWith("failed (timeout)");
    case "lie":
      return what.startsWith("rejected") && what.includes("no file changed");
    case "malformed":
      // How an agent bears it is its own affair; that nothing came of it must be said, and not as something else.
      return /^failed \((agent|provider|crash)\)/.test(what) || (what.startsWith("rejected") && what.includes("no file changed"));
    default:
      return fault satisfies never;
  }
}

function scriptOf(fault: FaultyRun["fault"]): ScriptFunction {
  return async (request): Promise<ScriptedAnswer> => {
    const all = request.messages.map((m) => m.content).join("\n");
    const step = /Write file-(\d+)\.txt/.exec(all)?.[1];
    // What an agent asks on the side offers no tools.
    if (step === undefined || !request.tools.includes("run_shell_command")) return { text: "{}" };
    // The workspace's folder is told to the model: it ends in the number of the attempt it was made for. One that goes on with that attempt's
    // conversation, in that folder, is told of the task once more.
    const folder = Number(new RegExp(`/s${step}-(\\d+)/tree`).exec(JSON.stringify(request.prompt) + all)?.[1] ?? Number.NaN);
    if (Number.isNaN(folder)) throw new Error("the request does not tell which attempt it is");
    const isTask = ({ role, content }: ScriptedRequest["messages"][number]): boolean =>
      role === "user" && content.includes(`Write file-${step}.txt`);
    const attempt = folder + Math.max(0, request.messages.filter(isTask).length - 1);
    const worked = request.messages.slice(request.messages.findLastIndex(isTask)).some(({ role }) => role === "tool");
    const shell = (command: string): ScriptedAnswer => ({
      toolCalls: [{ name: "run_shell_command", arguments: { command, description: "work", is_background: false } }],
    });
    const kind = fault(Number(step), attempt);
    if (kind === "malformed") {
      await sleep(50);
      return { text: "I will write the file now, as I was told to.", fault: { kind: "malformed", afterChunks: 1 } };
    }
    if (kind === "lie" || worked) return { text: `I wrote file-${step}.txt.` };
    if (kind === "crash") return shell("kill -9 $PPID");
    if (kind === "hang") return shell("for i in 1 2 3; do sleep 300; done");
    return shell(`echo ${step} > file-${step}.txt`);
  };
}
