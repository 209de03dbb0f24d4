import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedAnswer, type ScriptedRequest, type ScriptFunction } from "../../src/models/index.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { programOf, realAgent } from "./catalogue.ts";

const usage = { promptTokens: 11, completionTokens: 7 };
const call = (name: string, input: unknown): ScriptedAnswer => ({ toolCalls: [{ name, arguments: input }], usage });

/** Each agent's own way to a tool of an MCP server: one has it among its tools, the other has to look it up. */
function answerOf(request: ScriptedRequest): ScriptedAnswer {
  // What an agent asks on the side.
  if (request.tools.length === 0) return { text: "{}", usage };
  const ask = { question: `Which colour, says ${request.dialect}?`, choices: ["red", "blue"] };
  const named = request.tools.find((name) => /stepfall_+ask$/.test(name));
  if (named) return request.toolResults === 0 ? call(named, ask) : { text: "I know it.", usage };
  const steps = [
    call("tool_search", { query: "select:mcp__stepfall__ask" }),
    call("tool_call", { name: "mcp__stepfall__ask", arguments: ask }),
  ];
  return steps[request.toolResults] ?? { text: "I know it.", usage };
}

test("real agents find the tools of their run and ask people, each in its own way", { timeout: 300_000 }, async () => {
  const answers: string[] = [];
  const script: ScriptFunction = (request) => {
    const last = request.messages.findLast((m) => m.role === "tool")?.content ?? "";
    const [colour] = /red|blue/.exec(last) ?? [];
    if (colour && !last.includes("choices")) answers.push(`${request.dialect}: ${colour}`);
    return answerOf(request);
  };
  await using model = await startScriptedModel({ script });
  const agent = (preset: "gemini" | "qwen"): string =>
    `{ executor: acp, preset: ${preset}, command: [${JSON.stringify(programOf(realAgent(preset)))}, --acp], model: made-up/m, account: ${preset} }`;
  await using scene = new Scene({
    "stepfall.yaml": `slots: 2\nagents:\n  gem: ${agent("gemini")}\n  qwen: ${agent("qwen")}\nproviders: { made-up: { url: "${model.baseUrl}", protocol: [chat, gemini], prices: { m: { input: 1, output: 2 } } } }\n`,
    "p.yaml":
      "steps:\n  gem: { prompt: Find the colour, agent: gem, readonly: true }\n  qwen: { prompt: Find the colour, agent: qwen, readonly: true }\n",
  });
  const run = scene.start(["run", "p.yaml", "--slots", "2"]);
  for (const [step, colour] of [
    ["gem", "red"],
    ["qwen", "blue"],
  ] as const) {
    await run.said(new RegExp(`${step} waits for`));
    expect((await scene.run(["answer", `${step}!1`, colour])).code).toBe(0);
  }
  const ended = await run.ended;
  expect(ended.code, `${ended.stdout}\n${ended.stderr}`).toBe(0);
  expect((await keptBy(scene)).of("InboxOpened").map((e) => e.data.kind)).toEqual(["question", "question"]);
  expect(new Set(answers)).toEqual(new Set(["gemini: red", "chat: blue"]));
});
