import { expect, test, vi } from "vitest";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { connect, McpScene, type Person } from "./mcp-scene.testkit.ts";
import { serve } from "./served.testkit.ts";

const nobody: Person = () => ({ action: "cancel" });
const project = {
  "wait.yaml": `name: waiting
steps:
  name: { ask: "What is it called?" }
  ship: { approve: Ship it? }
  pay: { approve: Pay for it? }
  bobs: { approve: { title: Bob's alone, who: [bob] } }
  two: { approve: { title: Two must agree, count: 2 } }
`,
};

test("what an agent says is recorded as the agent's, and what a person is to decide it cannot decide, unless the server was told so", async () => {
  await using scene = new McpScene(project);
  await using served = await serve(scene);
  await using plain = await served.connect("approver", { name: "robot" });
  const started = await plain.call("start_run", { file: "wait.yaml", project: scene.project });
  const run = String(started.data["runId"]);

  // This client cannot ask its person: what waits is named.
  const waited = await plain.call("wait_run", { run, timeout_s: 200 });
  expect(waited.data).toMatchObject({ why: expect.stringMatching(/^(waiting|news)$/) as string, decided: [] });
  const items = (waited.data["waiting"] as { item: string; kind: string }[]).map(({ item }) => item.split("/")[1]);
  expect(items.toSorted()).toEqual(["bobs!1", "name!1", "pay!1", "ship!1", "two!1"]);
  expect(waited.data["next"]).toContain("`answer`");
  expect((await plain.call("inbox", { run })).data["items"]).toHaveLength(5);

  const answered = await plain.call("answer", { item: "name!1", text: "Stepfall" });
  expect(answered.data, answered.text).toMatchObject({ recorded: true, by: "mcp:robot" });
  expect(answered.data["next"]).toContain("an agent, and by no person");
  const refused = await plain.call("approve", { item: "ship!1" });
  expect(refused.isError).toBe(true);
  expect(refused.text).toMatch(/^NOT_ALLOWED: .*for a person to decide, and this client cannot ask its person\.\n.*--allow-approve/);
  expect((await plain.call("answer", { item: "ship!1", text: "approve" })).text).toContain("is no question");

  // This one can, and its person decides nothing, then something else than the agent proposed.
  let says: Person = nobody;
  const forms: string[] = [];
  await using asking = await served.connect("approver", {
    name: "assistant",
    person: (form) => {
      forms.push(form.message);
      return says(form);
    },
  });
  const unanswered = await asking.call("approve", { item: "ship!1", comment: "I checked it" });
  expect(unanswered.data).toMatchObject({ recorded: false });
  expect(forms.at(-1)).toMatch(/mcp:assistant proposes: to approve: "I checked it"/);
  says = () => ({ action: "accept", content: { decision: "reject", comment: "not today" } });
  const decided = await asking.call("approve", { item: "ship!1" });
  expect(decided.data).toMatchObject({ recorded: true, verdict: "reject", text: "not today", by: "mcp:assistant/person" });
  for (const [item, why] of [
    ["bobs!1", "only bob may answer it"],
    ["two!1", "2 people must agree"],
  ] as const) {
    const no = await asking.call("approve", { item });
    expect(no.isError).toBe(true);
    expect(no.text).toContain(why);
  }
  // What nobody but others may decide is not put to this person either; what is theirs is, once.
  forms.length = 0;
  says = nobody;
  expect((await asking.call("wait_run", { run, timeout_s: 2 })).data).toMatchObject({ decided: [] });
  expect(forms.map((f) => f.split("\n\n")[1])).toEqual(["Pay for it?"]);
  expect((await asking.call("wait_run", { run, timeout_s: 2 })).data).toMatchObject({ decided: [] });
  expect(forms).toHaveLength(1);

  await using trusted = await connect(scene, { name: "trusted", flags: ["--allow-approve"] });
  const approved = await trusted.call("approve", { item: "two!1" });
  expect(approved.data, approved.text).toMatchObject({ recorded: true, by: "mcp:trusted", stillNeeded: 1 });
  expect((await trusted.call("approve", { item: "bobs!1" })).text).toContain("only bob may answer it");
  {
    await using second = await connect(scene, { name: "second", flags: ["--allow-approve"] });
    expect((await second.call("approve", { item: "two!1" })).text).toMatch(
      /^NOT_ALLOWED: .*an agent has \(mcp:trusted\): the others are people/,
    );
  }
  // A client that goes away while its person is asked takes its server along, and nothing is decided.
  const asked = Promise.withResolvers<void>();
  const leaving = await connect(scene, { generation: "2025-11-25", person: () => (asked.resolve(), new Promise(() => undefined)) });
  const call = leaving.call("approve", { item: "pay!1" }).catch((error: unknown) => error);
  await asked.promise;
  await leaving[Symbol.asyncDispose]();
  expect(await call).toBeInstanceOf(Error);
  await vi.waitFor(() => expect(() => process.kill(leaving.pid, 0)).toThrow("ESRCH"), 20_000);
  expect((await trusted.call("inbox", { run })).data["items"]).toHaveLength(3);
  expect((await trusted.call("cancel", { run, reason: "enough" })).data).toMatchObject({ status: "cancelled", by: "mcp:trusted" });
  expect(trusted.said()).toContain("approvals are also the agent's to decide");

  const kept = await keptBy(scene);
  const said = kept.events.flatMap(({ event, actor }) => (event.type === "InboxAnswered" ? [[event.data.item.split("/")[1], actor]] : []));
  expect(said).toEqual([
    ["name!1", "mcp:robot"],
    ["ship!1", "mcp:assistant/person"],
    ["two!1", "mcp:trusted"],
  ]);
  expect(kept.events.find(({ event }) => event.type === "CancelRequested")?.actor).toBe("mcp:trusted");
}, 400_000);
