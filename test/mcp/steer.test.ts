import { expect, test } from "vitest";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { connect, generations, McpScene } from "./mcp-scene.testkit.ts";

const script = {
  models: ["m"],
  rules: [
    {
      when: { user: "Write hello" },
      turns: [{ toolCalls: [{ name: "write_file", arguments: { path: "hello.txt", content: "hello\n" } }] }, { text: "Done." }],
    },
  ],
};
const project = {
  "script.json": JSON.stringify(script),
  "stepfall.yaml": "agents: { coder: { executor: chat, model: x/m } }\nproviders: { x: { script: script.json } }\n",
  "ask.yaml": `name: asking
steps:
  hello: { prompt: Write hello, outputs: [hello.txt], gates: ["test -s hello.txt"] }
  which: { needs: hello, ask: { question: Which channel?, choices: [stable, beta] } }
  ship: { needs: which, approve: { title: Ship it?, detail: all is ready } }
  channel: { needs: ship, command: "echo \${{ steps.which.output.answer }} > CHANNEL", outputs: [CHANNEL] }
`,
};

test.each(generations)(
  "a client of %s starts a run, its person is asked what the run asks, and it gets the diff, the logs and the bill",
  async (generation) => {
    await using scene = new McpScene(project);
    const forms: string[] = [];
    await using client = await connect(scene, {
      generation,
      name: "Claude Code/2",
      person: ({ message }) => {
        forms.push(message);
        const content: Record<string, string> = message.includes("Which")
          ? { answer: "beta" }
          : { decision: "approve", comment: "looks good" };
        return { action: "accept", content };
      },
    });
    expect(client.client.getNegotiatedProtocolVersion()).toBe(generation);
    const started = await client.call("start_run", { file: "ask.yaml" });
    expect(started.isError, started.text).toBe(false);
    const run = String(started.data["runId"]);

    const progress: string[] = [];
    const waited = await client.call("wait_run", { run: run.slice(-8), timeout_s: 200 }, (text) => progress.push(text));
    expect(waited.data, waited.text).toMatchObject({ runId: run, status: "succeeded", why: "over", waiting: [] });
    expect(forms.map((f) => f.split("\n\n").slice(1))).toEqual([["Which channel?"], ["Ship it?", "all is ready"]]);
    expect(waited.data["decided"]).toMatchObject([
      { item: `${run}/which!1`, verdict: "answer", text: "beta", by: "mcp:Claude-Code-2/anna" },
      { item: `${run}/ship!1`, verdict: "approve", text: "looks good", by: "mcp:Claude-Code-2/anna" },
    ]);
    expect(progress.some((text) => /^\d of 4 steps over/.test(text))).toBe(true);

    const diff = await client.call("get_diff", { run });
    expect(diff.text).toMatch(/^2 changed: CHANNEL \+1 -0, hello\.txt \+1 -0\n/);
    expect(diff.text).toContain("+beta");
    const one = await client.call("get_diff", { run, file: "hello.txt" });
    expect(one.text).toContain("+hello");
    expect(one.text).not.toContain("+beta");
    expect((await client.call("get_logs", { run, step: "hello" })).text).toContain("hello#1 agent: > write hello.txt");
    const step = await client.call("get_run", { run, step: "hello" });
    expect(step.data["step"]).toMatchObject({ id: "hello", status: "completed", attempts: [{ n: 1, gates: [{ verdict: "passed" }] }] });
    expect((await client.call("cost", { run })).data).toMatchObject({ runId: run, rows: [{ calls: 2 }], total: { calls: 2 } });
    expect((await client.call("cost", { by: "agent" })).data).toMatchObject({ rows: [{ name: "coder", scripted: 2, accepted: 1 }] });
    expect((await client.call("list_runs")).data).toMatchObject({ runs: [{ runId: run, status: "succeeded", stepsDone: 4 }] });
    expect((await client.call("list_agents")).data["agents"]).toMatchObject([{ id: "shell" }, { id: "coder", model: "x/m" }]);
    expect((await client.call("inbox")).data).toMatchObject({ items: [] });
    expect((await client.call("cancel", { run })).data).toMatchObject({ status: "succeeded" });

    const { resources } = await client.client.listResources();
    expect(resources.map((r) => r.uri)).toEqual([
      `stepfall://runs/${run}`,
      `stepfall://runs/${run}/diff`,
      `stepfall://runs/${run}/logs/hello`,
      `stepfall://runs/${run}/logs/channel`,
    ]);
    const read = async (uri: string): Promise<string> => {
      const [first] = (await client.client.readResource({ uri })).contents;
      return first && "text" in first ? first.text : "";
    };
    expect(JSON.parse(await read(`stepfall://runs/${run}`))).toMatchObject({ runId: run, status: "succeeded" });
    expect(await read(`stepfall://runs/${run}/diff`)).toContain("+beta");
    expect(await read(`stepfall://runs/${run}/logs/hello`)).toContain("write hello.txt");
    await expect(read("stepfall://runs/nothing")).rejects.toThrow("RUN_UNKNOWN");
    await expect(read(`stepfall://runs/${run}/logs/..%2F..%2Fetc`)).rejects.toThrow("has no step");
  },
  400_000,
);

test("what is wrong with a call is told to the agent as a tool's error with what to do, and nothing is started", async () => {
  await using scene = new McpScene(project);
  await using client = await connect(scene);
  const said = async (name: string, input: Record<string, unknown>): Promise<string> => {
    const { isError, text } = await client.call(name, input);
    expect(isError, text).toBe(true);
    return text;
  };
  expect(await said("start_run", {})).toContain("give either `file` or `yaml`");
  expect(await said("start_run", { file: "no.yaml" })).toContain("no.yaml");
  expect(await said("start_run", { file: "../../etc/passwd" })).toContain("not in the project");
  expect(await said("start_run", { yaml: "steps: { a: { command: 'true', readonly: true, needs: [b] } }" })).toMatch(/b/);
  expect(await said("do", { tasks: [] })).toContain("tasks");
  expect(await said("get_run", { run: "nothing" })).toMatch(/^RUN_UNKNOWN: .*\nlist_runs tells/);
  expect(await said("get_run", { runId: "nothing" })).toContain("Unrecognized key");
  expect(await said("answer", { item: "x!1", text: "y" })).toContain("nothing that waits is called x!1");
  expect(await said("submit_feedback", { run: "nothing", step: "a", verdict: "wrong" })).toMatch(/^RUN_UNKNOWN/);
  expect((await client.call("list_runs")).data).toMatchObject({ runs: [] });

  // The same server, started by an agent at work in a run, as its user had it set up.
  await using inside = await connect(scene, { env: { STEPFALL_ATTEMPT: "r/a#1" }, flags: ["--allow-approve"] });
  for (const [name, input] of [
    ["start_run", { file: "ask.yaml" }],
    ["do", { tasks: ["again"] }],
    ["cancel", { run: "r" }],
    ["answer", { item: "x!1", text: "y" }],
    ["approve", { item: "x!1" }],
    ["submit_feedback", { run: "r", step: "a", verdict: "right" }],
  ] as const)
    expect((await inside.call(name, input)).text).toMatch(/^NOT_ALLOWED: .*at work as r\/a#1/);
  expect((await inside.call("list_runs")).data).toMatchObject({ runs: [] });
  expect(inside.said()).toContain("may look and steer nothing");
}, 300_000);

test("a sentence is enough: `do` has it done, with the gates that were given, by the agent that was named", async () => {
  await using scene = new McpScene(project);
  await using client = await connect(scene, { name: "robot" });
  const begun = await client.call("do", { tasks: ["Write hello"], gates: ["grep -q hello hello.txt"], agent: "coder", project: "." });
  expect(begun.isError, begun.text).toBe(false);
  const run = String(begun.data["runId"]);
  expect((await client.call("wait_run", { run, timeout_s: 200 })).data).toMatchObject({ status: "succeeded", why: "over" });
  const { data } = await client.call("get_run", { run, step: "hello" });
  expect(data["step"]).toMatchObject({ attempts: [{ agent: "coder", gates: [{ name: "grep -q hello hello.txt", verdict: "passed" }] }] });
  expect((await keptBy(scene)).events[0]?.actor).toBe("mcp:robot");
}, 400_000);
