import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeAgent } from "../../src/agents/acp/fake-agent.testkit.ts";
import { Scene, type Ended } from "../../src/cli/cli.testkit.ts";
import { killMachine } from "../crash/processes.ts";
import { keptBy, type Kept } from "./run-journal.testkit.ts";

const option = { optionId: "yes", name: "Allow", kind: "allow_once" };
const leave = { toolCallId: "t", title: "npm publish", kind: "execute", rawInput: { command: "npm publish" } };

/** All agents work at the same time: what they do is mostly to wait, and so would one test for each. */
function files(folder: string): Record<string, string> {
  const asker = fakeAgent(join(folder, "asker.json"), {
    prompt: ["asked.txt", "asked-again.txt"].map((path) => ({
      do: "ask",
      toolCall: leave,
      options: [option],
      thenWrite: { path, content: "1\n" },
    })),
  });
  const until = (name: string): string => `until [ -e ${folder}/${name} ]; do sleep 0.3; done`;
  // Four that compute a quarter of the time each: a machine that is busy with other things gives one process too little to be seen.
  const compute = `node -e "setInterval(() => { for (const end = Date.now() + 40; Date.now() < end;); }, 160); setTimeout(process.exit, 13000)"`;
  const computing = `${`${compute} & `.repeat(4)}wait`;
  return {
    "model.json": JSON.stringify({
      rules: [{ answer: { toolCalls: [{ name: "run_command", arguments: { command: "cat README.md" } }], firstDelayMs: 250 } }],
    }),
    "stepfall.yaml": `slots: 9
agents:
  silent: { executor: shell, command: "if mkdir ${folder}/silent; then echo I am thinking; sleep 60; fi; echo 1 > quiet.txt" }
  mute: { executor: shell, command: sleep 60 }
  computing: { executor: shell, command: '${computing}; echo 1 > computed.txt' }
  circling: { executor: chat, model: scripted/m }
  asker: { executor: acp, credentials: direct, command: ${JSON.stringify(asker)} }
  patient: { executor: shell, command: "${until("go")}; echo 1 > waited.txt" }
  moody: { executor: shell, command: "mkdir ${folder}/moody && sleep 60; echo 1 > again.txt" }
  helper: { executor: shell, command: "echo 1 > helped.txt" }
providers: { scripted: { script: model.json } }
`,
    "p.yaml": `defaults: { stuck-after: 4s }
steps:
  quiet: { prompt: x, agent: silent, outputs: [quiet.txt], retry: 2 }
  hopeless: { prompt: x, may-fail: true, agent: mute, readonly: true, retry: 3, on-stuck: fail }
  compute: { prompt: x, agent: computing, outputs: [computed.txt], retry: 1, stuck-after: 10s }
  circle: { prompt: x, may-fail: true, agent: circling, readonly: true, retry: 3, on-stuck: fail, stuck-after: 10m }
  leave: { prompt: x, agent: asker, outputs: [asked.txt, asked-again.txt], retry: 1, permissions: ask }
  wait: { prompt: x, agent: patient, outputs: [waited.txt], retry: 1, on-stuck: ask }
  again: { prompt: x, agent: moody, outputs: [again.txt], retry: 2, on-stuck: ask }
  give-up: { prompt: x, may-fail: true, agent: mute, readonly: true, retry: 3, on-stuck: ask }
  give-away: { prompt: x, agent: mute, outputs: [helped.txt], retry: 1, on-stuck: ask }
`,
  };
}

interface Shown {
  steps: { id: string; attempts: { live?: { state: string; evidence: string[]; risk?: { factors: { name: string }[] } } }[] }[];
}

describe("agents that make no progress, and some that only seem so", () => {
  let scene: Scene;
  let ended: Ended;
  let kept: Kept;
  let during: { shown: Shown; ps: string; inbox: string; isOver: boolean };
  const answers: Ended[] = [];

  beforeAll(async () => {
    scene = new Scene();
    scene.write(files(scene.folder));
    scene.git("add", "--all");
    scene.git("commit", "--quiet", "--message", "files");
    const running = scene.start(["run", "p.yaml", "--slots", "9"]);
    const say = async (...args: string[]): Promise<void> => void answers.push(await scene.run(args));
    await Promise.all(["wait", "again", "give-up", "give-away"].map((step) => running.said(`${step} waits for somebody`)));
    await running.said("quiet merged");
    during = {
      shown: (await scene.json("show")).values[0] as unknown as Shown,
      ps: (await scene.run(["ps"])).stdout,
      inbox: (await scene.run(["inbox"])).stdout,
      isOver: running.child.exitCode !== null,
    };
    await say("answer", "wait!1", "wait");
    await say("answer", "again!1", "retry");
    await say("answer", "give-up!1", "fail");
    await say("reassign", "give-away", "--agent", "helper");
    await say("approve", "leave!1");
    await running.said("leave!2)");
    await say("approve", "leave!2");
    // Told to wait, it is asked about anew when it goes on saying nothing.
    await running.said(/wait!1\)[^]*wait!2\)/);
    writeFileSync(join(scene.folder, "go"), "");
    ended = await running.ended;
    kept = await keptBy(scene);
  }, 120_000);
  afterAll(async () => {
    // Where a test fails, agents are left with their keepers.
    killMachine(scene.folder);
    await scene[Symbol.asyncDispose]();
  });

  const attemptsAt = (step: string): string[] =>
    kept.events.flatMap(({ event }) => {
      if (!/^Attempt(?:Accepted|Rejected|Failed|Interrupted)$/.test(event.type) || (event.data as { step: string }).step !== step)
        return [];
      const { kind } = event.data as { kind?: string };
      return [kind === undefined ? event.type : `${event.type} ${kind}`];
    });
  const failureAt = (step: string): string | undefined => kept.of("AttemptFailed").find((e) => e.data.step === step)?.data.message;

  test("one that says nothing is stopped, told as stuck with what was seen, and its step is tried again", () => {
    expect(attemptsAt("quiet")).toEqual(["AttemptFailed stuck", "AttemptAccepted"]);
    expect(failureAt("quiet")).toMatch(
      /^it made no progress: nothing for [\d.]+ s: the last was (?:output|the call [^;]*); .*the limit is 4 s/,
    );
    expect(ended.stderr).toMatch(/quiet#1 failed \(stuck\): it made no progress: nothing for/);
    expect(ended.stderr).toMatch(/quiet is stuck for/);
  });

  test("`on-stuck: fail` gives the step up at once", () => {
    expect(attemptsAt("hopeless")).toEqual(["AttemptFailed stuck"]);
    expect(kept.of("StepFailed").find((e) => e.data.step === "hopeless")?.data.because).toMatch(/^it made no progress/);
  });

  test("one that computes without a word is at work", () => {
    expect(attemptsAt("compute")).toEqual(["AttemptAccepted"]);
    expect(ended.stderr).not.toMatch(/compute is stuck/);
  });

  test("one that makes the same call over and over is found, however busy it is", () => {
    expect(attemptsAt("circle")).toEqual(["AttemptFailed stuck"]);
    expect(failureAt("circle")).toMatch(
      /^it made no progress: the same call \d+ times in a row with the same result: `run cat README\.md`/,
    );
  });

  test("one that waits for leave is not stuck; leave given once is asked for again when it is wanted again", () => {
    expect(attemptsAt("leave")).toEqual(["AttemptAccepted"]);
    expect(ended.stderr).not.toMatch(/leave is stuck/);
    expect(kept.of("InboxOpened").filter((e) => e.data.step === "leave")).toHaveLength(2);
  });

  test("`on-stuck: ask` asks people while the attempt runs, and the run does not end for it", () => {
    expect(during.isOver).toBe(false);
    expect(during.inbox).toMatch(/again!1 {2}\(question .*\n {2}again makes no progress: what now\?\n {4}nothing for .*the limit is 4 s\n/);
    expect(answers.map(({ code, stderr }) => (code === 0 ? "ok" : stderr))).toEqual(["ok", "ok", "ok", "ok", "ok", "ok"]);
    for (const { stderr } of answers) expect(stderr).toContain("The run goes on.");
  });

  test("each answer does what it says: wait, try again, give up; or the step goes to another agent, which is no try", () => {
    expect(attemptsAt("wait")).toEqual(["AttemptAccepted"]);
    expect(attemptsAt("again")).toEqual(["AttemptFailed stuck", "AttemptAccepted"]);
    expect(failureAt("again")).toMatch(/^ended by a person since it made no progress: nothing for/);
    expect(attemptsAt("give-up")).toEqual(["AttemptFailed stuck"]);
    expect(kept.of("StepFailed").find((e) => e.data.step === "give-up")?.data.because).toMatch(/^ended by a person/);
    expect(attemptsAt("give-away")).toEqual(["AttemptInterrupted", "AttemptAccepted"]);
    const started = kept.of("AttemptStarted").filter((e) => e.data.step === "give-away");
    expect(started.map((e) => e.data.agent)).toEqual(["mute", "helper"]);
  });

  test("told to wait, it is asked about again after another such silence, and what nobody answered is gone with the attempt", async () => {
    expect(kept.of("InboxOpened").filter((e) => e.data.step === "wait")).toHaveLength(2);
    const late = await scene.run(["answer", `${kept.runId}/wait!2`, "fail"]);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("ITEM_CLOSED")]);
    expect((await scene.run(["inbox"])).stderr).toContain("Nothing waits for you.");
  });

  test("other processes see meanwhile how each is", () => {
    const live = (id: string) => during.shown.steps.find((s) => s.id === id)?.attempts.at(-1)?.live;
    expect(live("again")?.evidence.join()).toMatch(/nothing for|waits for a person/);
    expect(live("leave")).toMatchObject({ state: "idle", evidence: [expect.stringMatching(/waits for a person .*npm publish/)] });
    expect(live("again")?.risk?.factors.map((f) => f.name)).toContain("silence");
    expect(during.ps).toMatch(/(?:stuck|idle), .*risk 0\.\d\d at most|risk 1\.00 at most/);
  });

  test("the run succeeds with what was done", () => {
    expect(ended.code, ended.stderr).toBe(0);
    // Whoever was stopped, or is done, has not died.
    expect(ended.stderr).not.toMatch(/is dead/);
    const there = scene.git("ls-tree", "--name-only", `stepfall/${kept.runId}`).split("\n");
    expect(there).toEqual(
      expect.arrayContaining(["again.txt", "asked.txt", "asked-again.txt", "computed.txt", "helped.txt", "quiet.txt", "waited.txt"]),
    );
  });
});
