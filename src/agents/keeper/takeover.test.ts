import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeAgent, type Act } from "../acp/fake-agent.testkit.ts";
import { startScriptedEndpoint } from "../chat/scripted-endpoint.testkit.ts";
import { stepBase } from "../conformance.ts";
import { isAlive } from "../host/process.ts";
import type { EngineOrder, EngineWord } from "./engine.testkit.ts";
import { keeperHost, until, withMarker } from "./keeper.testkit.ts";

const program = fileURLToPath(new URL("./engine.testkit.ts", import.meta.url));

let folders: string[];
let engines: ChildProcess[];
let counter = 0;
beforeEach(() => void ([folders, engines] = [[], []]));
afterEach(async () => {
  for (const engine of engines) engine.kill("SIGKILL");
  for (const folder of folders) {
    const keepers = keeperHost(join(folder, "home"));
    for (const attempt of keepers.list()) {
      await keepers.forget(attempt);
      expect(withMarker(attempt), "no process is left").toEqual([]);
    }
    rmSync(folder, { recursive: true, force: true });
  }
});

interface Engine {
  child: ChildProcess;
  words: EngineWord[];
  said(): string[];
  asked(): string[];
  ended: Promise<unknown>;
}

function engineOn(order: EngineOrder): Engine {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  engines.push(child);
  const words: EngineWord[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    words.push(...lines.map((line) => JSON.parse(line) as EngineWord));
  });
  const ended = new Promise((resolve) => child.once("close", resolve)).then(() => {
    const last = words.at(-1);
    return last && "result" in last ? last.result : last;
  });
  return {
    child,
    words,
    ended,
    said: () => words.flatMap((word) => ("said" in word ? [word.said] : [])),
    asked: () => words.flatMap((word) => ("asked" in word ? [word.asked] : [])),
  };
}

type Does = Pick<EngineOrder, "does" | "step" | "gateway">;
const command = (text: string): Does => ({ does: { kind: "shell" }, step: { ...stepBase, kind: "command", command: text } });
const agentStep: EngineOrder["step"] = { ...stepBase, kind: "agent", prompt: "add sum", agent: { capability: [] } };

function place(): { folder: string; order: (does: Does, epoch?: number) => EngineOrder } {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-takeover-"));
  folders.push(folder);
  const attempt = `take-${process.pid}/step#${++counter}`;
  return { folder, order: (does, epoch = 1) => ({ folder, attempt, epoch, takeUp: epoch > 1, ...does }) };
}

const transcript = (folder: string): { seq: number; text: string }[] => {
  const path = join(folder, "transcripts", "agent.ndjson");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { seq: number; text: string });
};

/** Carries it out twice, once undisturbed and once with an engine killed when `when` holds; everything must be the same. */
async function killed(does: (folder: string) => Does, when: (engine: Engine, folder: string) => boolean, second = does) {
  const calm = place();
  const undisturbed = engineOn(calm.order(does(calm.folder)));
  const { folder, order } = place();
  const first = engineOn(order(does(folder)));
  await until(() => when(first, folder), 30_000);
  first.child.kill("SIGKILL");
  await first.ended;
  const next = engineOn(order(second(folder), 2));
  const result = await next.ended;
  const expected = await undisturbed.ended;
  const plain = (value: unknown, at: string): unknown =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll(at, "HERE")
        .replaceAll(/call-\w+/g, "call"),
    );
  expect(plain(result, folder)).toEqual(plain(expected, calm.folder));
  const lines = transcript(folder);
  expect(lines.map((line) => line.seq)).toEqual(lines.map((_, at) => at + 1));
  expect(
    plain(
      lines.map((line) => line.text),
      folder,
    ),
  ).toEqual(
    plain(
      transcript(calm.folder).map((line) => line.text),
      calm.folder,
    ),
  );
  const pids = [first, next].map((engine) => engine.words.find((word) => "pid" in word));
  // The first may have been killed before it knew.
  if (pids[0]) expect(pids[0]).toEqual(pids[1]);
  return { first, next, undisturbed, folder, calm: calm.folder };
}

test("an engine killed while a command works: the next one hears it to its end", async () => {
  const script = "echo begun; touch started; sleep 1.2; echo finished; exit 3";
  const { next } = await killed(
    () => command(script),
    (_, folder) => existsSync(join(folder, "started")),
  );
  expect(next.said()).toEqual([]);
});

test("an engine killed while the chat agent works: no model call and no tool is repeated", async () => {
  const [calm, disturbed] = [await startScriptedEndpoint(), await startScriptedEndpoint()];
  try {
    for (const endpoint of [calm, disturbed])
      endpoint.script([
        { tools: [{ name: "write_file", args: { path: "a.txt", content: "1" } }] },
        { tools: [{ name: "run_command", args: { command: "echo ran >> ran.log; sleep 1" } }] },
        { text: "Done." },
      ]);
    const { next, folder, undisturbed } = await killed(
      (folder) => ({
        does: { kind: "chat" },
        step: agentStep,
        gateway: { url: folder === folders[0] ? calm.url : disturbed.url, key: "sf-key", model: "m" },
      }),
      (_, folder) => existsSync(join(folder, "ran.log")),
    );
    expect(readFileSync(join(folder, "ran.log"), "utf8")).toBe("ran\n");
    expect(disturbed.requests).toHaveLength(calm.requests.length);
    expect(undisturbed.said().length).toBeGreaterThan(1);
    expect(next.said()).toEqual([]);
  } finally {
    await calm.close();
    await disturbed.close();
  }
});

const options = [
  { optionId: "yes", name: "Yes", kind: "allow_once" },
  { optionId: "no", name: "No", kind: "reject_once" },
];
const ask = (title: string, path: string): Act => ({
  do: "ask",
  toolCall: { toolCallId: title, title, kind: "edit", locations: [{ path }] },
  options,
  thenWrite: { path, content: "1" },
});
const prompt: readonly Act[] = [
  { do: "say", text: "I begin." },
  ask("write a", "a.txt"),
  ask("do not write b", "b.txt"),
  { do: "update", update: { sessionUpdate: "tool_call", toolCallId: "t", title: "think", kind: "other" } },
  ask("write c", "c.txt"),
  { do: "update", update: { sessionUpdate: "tool_call", toolCallId: "u", title: "look", kind: "other" } },
  { do: "say", text: "All is well." },
];

/** What reaches the agent's stdin is kept in a file. */
const acp =
  (undecided: readonly string[]) =>
  (folder: string): Does => {
    const fake = fakeAgent(join(folder, "script.json"), { prompt, result: { usage: { inputTokens: 3, outputTokens: 4 } } });
    const line = `tee -a inputs.log | ${fake.map((part) => `'${part}'`).join(" ")}`;
    return {
      does: { kind: "acp", command: ["sh", "-c", line], undecided },
      step: { ...agentStep, permissions: "ask" } as EngineOrder["step"],
      gateway: { url: "http://127.0.0.1:9/v1", key: "sf-key", model: "m" },
    };
  };
const inputs = (folder: string): string[] =>
  readFileSync(join(folder, "inputs.log"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.replaceAll(folder, "HERE"));

test("an engine killed while an ACP agent waits for leave: what was answered stays, what was not is asked", async () => {
  const { first, next, undisturbed, folder, calm } = await killed(
    // The engine that is killed never decides about the last.
    (folder) => acp(folder === folders[0] ? [] : ["write c"])(folder),
    (engine) => engine.asked().includes("write c"),
    acp([]),
  );
  expect(undisturbed.asked()).toEqual(["write a", "do not write b", "write c"]);
  expect(first.asked()).toEqual(["write a", "do not write b", "write c"]);
  expect(next.asked()).toEqual(["write c"]);
  expect(inputs(folder)).toEqual(inputs(calm));
  expect([..."abc"].map((name) => existsSync(join(folder, `${name}.txt`)))).toEqual([true, false, true]);
  // Both together told people what the undisturbed one told.
  expect([...first.said(), ...next.said()]).toEqual(undisturbed.said());
});

const deliveredBy = (engine: Engine): number[] => engine.words.flatMap((word) => ("delivered" in word ? [word.delivered] : []));

test("what was said to a chat agent before its engine was killed, and what is said after, reach it once each", async () => {
  const endpoint = await startScriptedEndpoint();
  try {
    endpoint.script([
      { tools: [{ name: "run_command", args: { command: "touch started; while [ ! -e go ]; do sleep 0.05; done" } }] },
      { text: "Done." },
    ]);
    const { folder, order } = place();
    const does: Does = { does: { kind: "chat" }, step: agentStep, gateway: { url: endpoint.url, key: "sf-key", model: "m" } };
    const first = engineOn({ ...order(does), messages: ["use tabs"] });
    await until(() => existsSync(join(folder, "started")), 30_000);
    first.child.kill("SIGKILL");
    await first.ended;
    const next = engineOn({ ...order(does, 2), messages: ["use tabs", "and no semicolons"] });
    await until(() => next.words.some((word) => "pid" in word), 30_000);
    writeFileSync(join(folder, "go"), "");
    expect(await next.ended).toMatchObject({ kind: "ended", summary: "Done." });
    const heard = JSON.stringify(endpoint.requests.at(-1)?.body.messages);
    for (const text of ["use tabs", "and no semicolons"]) expect(heard.split(text)).toHaveLength(2);
    expect([deliveredBy(first), deliveredBy(next)]).toEqual([[], [1, 2]]);
  } finally {
    await endpoint.close();
  }
});

test("an ACP agent whose engine is killed in the turn of one message is not told it again, and is told the next", async () => {
  const { folder, order } = place();
  const file = (name: string): string => join(folder, name);
  const note: Act = { do: "note-prompt", file: file("prompts") };
  const fake = fakeAgent(file("script.json"), {
    prompt: [note, { do: "until-file", file: file("go-1") }],
    again: [note, { do: "say", text: "I see." }, { do: "until-file", file: file("go-2") }, { do: "say", text: " All is well." }],
  });
  const gateway = { url: "http://127.0.0.1:9/v1", key: "sf-key", model: "m" };
  const does: Does = { does: { kind: "acp", command: fake, undecided: [] }, step: agentStep, gateway };
  const prompts = (): string[] =>
    existsSync(file("prompts"))
      ? readFileSync(file("prompts"), "utf8")
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as string)
      : [];
  const first = engineOn({ ...order(does), messages: ["use tabs"] });
  await until(() => prompts().length === 1, 30_000);
  writeFileSync(file("go-1"), "");
  await until(() => deliveredBy(first).includes(1), 30_000);
  first.child.kill("SIGKILL");
  await first.ended;
  const next = engineOn({ ...order(does, 2), messages: ["use tabs", "and no semicolons"] });
  writeFileSync(file("go-2"), "");
  expect(await next.ended).toMatchObject({ kind: "ended", summary: "I see. All is well." });
  expect(prompts().map((text) => text.split("\n").at(-1))).toEqual(["add sum", "use tabs", "and no semicolons"]);
  // That the first message has reached it is told again: nobody knows whether the first engine could record it.
  expect(deliveredBy(next)).toEqual([1, 2]);

  // Whoever takes up what has ended by then can tell it nothing more, and that changes nothing of what it did.
  const late = engineOn({ ...order(does, 3), messages: ["use tabs", "and no semicolons", "too late"] });
  expect(await late.ended).toMatchObject({ kind: "ended", summary: "I see. All is well." });
  expect(deliveredBy(late)).toEqual([1, 2]);
  expect(prompts()).toHaveLength(3);
});

test("an engine that was stopped and wakes up when another has its attempt writes nothing more to the agent", async () => {
  const { folder, order } = place();
  const script = "while read -r line; do echo $line >> inputs.log; done";
  const chatter = (word: string): Does => ({ does: { kind: "chatter", script, word }, step: agentStep });
  const old = engineOn(order(chatter("old")));
  const heard = () => (existsSync(join(folder, "inputs.log")) ? readFileSync(join(folder, "inputs.log"), "utf8").trim().split("\n") : []);
  await until(() => heard().length > 20);
  old.child.kill("SIGSTOP");
  engineOn(order(chatter("new"), 2));
  await until(() => heard().some((line) => line.startsWith("new")));
  old.child.kill("SIGCONT");
  expect(await old.ended).toEqual({ threw: "AGENT_SUPERSEDED" });
  await until(() => heard().filter((line) => line.startsWith("new")).length > 20);
  const words = heard().map((line) => line.slice(0, 3));
  expect(words.lastIndexOf("old")).toBeLessThan(words.indexOf("new"));
  expect(new Set(heard()).size).toBe(heard().length);
});

test("an agent whose keeper was killed too is ended, and its attempt is lost with evidence", async () => {
  const { folder, order } = place();
  const first = engineOn(order(command("sleep 1000 & echo $$ > leader; setsid sleep 1000 & touch started; sleep 1000")));
  await until(() => existsSync(join(folder, "started")));
  const keepers = keeperHost(join(folder, "home"));
  const [kept] = keepers.kept(order(command("")).attempt);
  first.child.kill("SIGKILL");
  process.kill(kept?.keeper?.pid ?? 0, "SIGKILL");
  await until(() => kept?.keeper && !isAlive(kept.keeper));
  expect(isAlive(kept?.agent ?? { pid: 0, startTime: "" })).toBe(true);
  expect(keepers.kept(order(command("")).attempt)[0]?.state).toMatchObject({
    kind: "lost",
    evidence: expect.stringContaining("gone without a word"),
  });
  expect(await engineOn(order(command(""), 2)).ended).toEqual({ threw: "AGENT_KEEPER_LOST" });
  expect(withMarker(`STEPFALL_ATTEMPT=${order(command("")).attempt}`)).toEqual([]);
});
