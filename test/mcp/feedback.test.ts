import { expect, test } from "vitest";
import { startScriptedModel } from "../../src/models/index.ts";
import { connect, McpScene } from "./mcp-scene.testkit.ts";

const settings = (url: string): string => `agents:
  middle: { executor: chat, model: fake/middle, tier: mid }
  small: { executor: chat, model: fake/small, tier: free }
providers: { fake: { url: "${url}", prices: { small: { input: 1, output: 1 }, middle: { input: 1.2, output: 1.2 } } } }
`;
const steps = ["fix0", "fix1", "fix2"];
/** The last is given to the other agent: of one that was never tried, routing knows nothing to compare with. */
const isPinned = (step: string): boolean => step === "fix2";
const pipeline = `steps:\n${steps
  .map((step) => {
    const file = step.replace("fix", "a");
    const agent = isPinned(step) ? "agent: middle, " : "";
    return `  ${step}: { prompt: Fix the bug in ${file}.txt, ${agent}outputs: [${file}.txt], gates: ["test -s ${file}.txt"] }\n`;
  })
  .join("")}`;

interface Gates {
  gates: { falseAccepts: { hits: number; of: number } }[];
  together: { falseAccept: number };
}
interface Route {
  steps: { tier: string; agents: string[] }[];
}

test("an agent's verdict on results changes what gates are taken for, and where routing begins", async () => {
  // What the small model writes is not what was asked for, and passes the gate.
  const provider = await startScriptedModel({
    script: ({ model, turn, messages }) => {
      const path = /a\d\.txt/.exec(JSON.stringify(messages))?.[0] ?? "a0.txt";
      return turn === 0
        ? { text: "I write.", toolCalls: [{ name: "write_file", arguments: { path, content: model === "small" ? "no\n" : "yes\n" } }] }
        : { text: "Done." };
    },
  });
  await using scene = new McpScene({ "stepfall.yaml": settings(provider.baseUrl), "p.yaml": pipeline });
  try {
    await using client = await connect(scene, { name: "reviewer" });
    const run = String((await client.call("start_run", { file: "p.yaml" })).data["runId"]);
    expect((await client.call("wait_run", { run, timeout_s: 200 })).data).toMatchObject({ status: "succeeded" });
    const gatesNow = async (): Promise<Gates> => (await scene.json("gates")).values[0] as unknown as Gates;
    const routeNow = async (): Promise<Route> => (await scene.json("route", "p.yaml")).values[0] as unknown as Route;
    const before = { gates: await gatesNow(), route: await routeNow() };
    const free = (route: Route): string[] => route.steps.slice(0, 2).map((s) => s.agents.join());
    expect(free(before.route)).toEqual(["small", "small"]);
    expect(before.gates.gates.map((g) => g.falseAccepts.hits)).toEqual(steps.map(() => 0));

    for (const step of steps) {
      const verdict = isPinned(step) ? "right" : "wrong";
      const told = await client.call("submit_feedback", { run, step, verdict, because: "I read it." });
      expect(told.data, told.text).toMatchObject({ by: "mcp:reviewer", gates: "accepted", gatesWereWrong: verdict === "wrong" });
      if (step === "fix2") expect(told.data["known"]).toEqual({ wrong: 2, wrongAccepted: 2, right: 1, rightRefused: 0 });
    }

    const after = { gates: await gatesNow(), route: await routeNow() };
    expect(after.gates.gates.reduce((sum, g) => sum + g.falseAccepts.hits, 0)).toBe(2);
    expect(after.gates.together.falseAccept).toBeGreaterThan(before.gates.together.falseAccept);
    expect(free(after.route)).toEqual(["middle", "middle"]);
    const explained = await scene.run(["route", "p.yaml", "--explain", "--step", "fix0"]);
    expect(explained.stdout).toMatch(/fix0: tier mid, middle/);
  } finally {
    await provider.close();
  }
}, 400_000);
