import { expect, test } from "vitest";
import type { ScriptedAnswer, ScriptedRequest } from "../../src/models/index.ts";
import { keptBy } from "./run-journal.testkit.ts";
import { scriptedScene } from "./scripted-scene.testkit.ts";

const call = (name: string, input: unknown): ScriptedAnswer => ({ toolCalls: [{ name, arguments: input }] });
const lastTool = ({ messages }: ScriptedRequest): string => messages.findLast((m) => m.role === "tool")?.content ?? "";

/** `first` reports, asks people and shares their answer; `second` reads it, and writes it down. */
function answerOf(request: ScriptedRequest): ScriptedAnswer {
  const isFirst = request.messages.some((m) => m.content.includes("Settle the colour"));
  const last = lastTool(request);
  if (isFirst)
    return (
      [
        call("report", { text: "I look around", percent: 10, phase: "reading" }),
        call("ask", { question: "Which colour?", choices: ["red", "blue"] }),
        call("blackboard_put", { key: "colour", value: { name: last }, expect: 0 }),
        call("blackboard_put", { key: "colour", value: "mine", expect: 0 }),
      ][request.toolResults] ?? { text: last }
    );
  if (request.toolResults === 0) return call("blackboard_get", { key: "colour" });
  if (request.toolResults === 1) return call("write_file", { path: "colour.txt", content: last });
  return { text: "I wrote it." };
}

const key = "upstream-key-of-a-provider";
const env = { MADE_UP_API_KEY: key };
const settingsAt = (url: string): string =>
  `agents: { chatty: { executor: chat, model: made-up/m } }\nproviders: { made-up: { url: "${url}", key-env: MADE_UP_API_KEY, prices: { m: { input: 1, output: 2 } } } }\n`;
const slow = 240_000;

test("an agent asks people, reports and shares what it learnt with the agent of the next step", { timeout: slow }, async () => {
  await using all = await scriptedScene(answerOf, key, (url) => ({
    "stepfall.yaml": settingsAt(url),
    "p.yaml": [
      "name: colours",
      "steps:",
      "  first: { prompt: Settle the colour, agent: chatty, readonly: true, retry: 1 }",
      "  second: { prompt: Write the colour down, needs: first, agent: chatty, outputs: [colour.txt], retry: 1 }",
      "",
    ].join("\n"),
  }));
  const { scene } = all;
  const run = scene.start(["run", "p.yaml"], { env });
  await run.said(/Which colour\?.*first!1/);
  expect((await scene.run(["inbox"])).stdout).toMatch(/first!1 {2}\(question in run[^]*Which colour\?[^]*red/);
  expect((await scene.run(["answer", "first!1", "green"])).stderr).toContain("red, blue");
  expect((await scene.run(["answer", "first!1", "blue"])).code).toBe(0);
  const ended = await run.ended;
  expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
  const kept = await keptBy(scene);
  expect(kept.of("AgentReported")).toMatchObject([{ data: { step: "first", text: "I look around", percent: 10, phase: "reading" } }]);
  expect(kept.of("BlackboardPut")).toMatchObject([{ data: { step: "first", key: "colour", value: { name: "blue" }, version: 1 } }]);
  expect(kept.events.filter(({ event }) => event.type === "BlackboardPut").map((e) => e.actor)).toEqual(["agent:chatty"]);
  expect(kept.of("InboxOpened")).toHaveLength(1);
  expect(ended.stderr).toContain("first#1 reports (reading, 10 %): I look around");
  expect(scene.git("show", `stepfall/${kept.runId}:colour.txt`)).toContain(
    '{"colour":{"value":{"name":"blue"},"version":1,"step":"first"}}',
  );
  const { values } = await scene.json("show", kept.runId);
  expect(values[0]).toMatchObject({
    board: { colour: { version: 1 } },
    waiting: [],
    steps: [{ attempts: [{ report: { text: "I look around" } }] }, {}],
  });
  // The one that came too late was told so, and what is there.
  const served = all.model.served().length;
  expect(served).toBe(8);
});

test(
  "the engine is killed while questions wait: the next one asks nothing again, and the agents, which never stopped, get their answers",
  { timeout: slow },
  async () => {
    const script = (request: ScriptedRequest): ScriptedAnswer => {
      const [, what = ""] = /Find the (\w+)/.exec(request.messages.map((m) => m.content).join("\n")) ?? [];
      if (request.toolResults === 0) return call("ask", { question: `Which ${what}?` });
      if (request.toolResults === 1) return call("blackboard_put", { key: what, value: lastTool(request) });
      return { text: "I know it." };
    };
    await using all = await scriptedScene(script, key, (url) => ({
      "stepfall.yaml": settingsAt(url),
      "p.yaml": `steps:\n${["colour", "size"].map((of) => `  ${of}: { prompt: Find the ${of}, agent: chatty, readonly: true, retry: 1 }\n`).join("")}`,
    }));
    const { scene } = all;
    const killed = scene.start(["run", "p.yaml", "--slots", "2"], { env });
    await killed.said(/colour waits for/);
    await killed.said(/size waits for/);
    killed.child.kill("SIGKILL");
    await killed.ended;
    const { runId } = await keptBy(scene);
    // One is answered while nobody drives the run, the other when an engine does again.
    expect((await scene.run(["answer", "colour!1", "blue"])).code).toBe(0);
    const resumed = scene.start(["resume", runId, "--slots", "2"], { env });
    await resumed.said(/colour = "blue"/);
    expect((await scene.json("inbox")).values[0]).toMatchObject({ items: [{ item: `${runId}/size!1`, title: "Which size?" }] });
    expect((await scene.run(["answer", "size!1", "large"])).code).toBe(0);
    const ended = await resumed.ended;
    expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    const kept = await keptBy(scene);
    expect(kept.of("InboxOpened").map((e) => e.data.item)).toHaveLength(2);
    expect(kept.of("AttemptReattached")).toHaveLength(2);
    expect(kept.of("AttemptStarted")).toHaveLength(2);
    expect(new Map(kept.of("BlackboardPut").map((e) => [e.data.key, e.data.value]))).toEqual(
      new Map(Object.entries({ colour: "blue", size: "large" })),
    );
    // Each agent was asked three times by its loop: nothing was done over.
    expect(all.model.served()).toHaveLength(6);
  },
);
