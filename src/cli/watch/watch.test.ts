import { spawn, type ChildProcess } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { keptBy } from "../../../test/acceptance/run-journal.testkit.ts";
import { launcher, Scene } from "../cli.testkit.ts";

// Each starts the program several times.
vi.setConfig({ testTimeout: 300_000 });

const pipeline = `name: ship
steps:
  notes: { command: "echo first > NOTES; echo wrote the notes", outputs: [NOTES] }
  ok: { needs: notes, approve: { title: Ship it? } }
  which: { needs: ok, ask: { question: "Which colour?", choices: [red, blue] } }
  ship: { needs: which, command: "echo \${{ steps.which.output.answer }} > SHIPPED", outputs: [SHIPPED] }
`;

interface Terminal {
  child: ChildProcess;
  /** All that was drawn, without what moves the cursor. */
  drawn(): string;
  raw(): string;
  shows(text: string | RegExp, what?: string): Promise<void>;
  type(keys: string): void;
  ended: Promise<number | null>;
}

/** The program on a pseudo-terminal of its own, which `script` of util-linux makes. */
function onTerminal(scene: Scene, ...args: string[]): Terminal {
  const command = ["stty", "rows", "30", "cols", "110;", process.execPath, launcher, ...args].join(" ");
  const env = { PATH: process.env["PATH"], HOME: scene.folder, STEPFALL_HOME: scene.home, USER: "ann", TERM: "xterm", LC_ALL: "C.UTF-8" };
  const child = spawn("script", ["-qefc", command, "/dev/null"], { cwd: scene.project, env, stdio: ["pipe", "pipe", "inherit"] });
  let raw = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (raw += text));
  const drawn = (): string => stripVTControlCharacters(raw);
  return {
    child,
    raw: () => raw,
    drawn,
    async shows(text) {
      for (
        const end = performance.now() + 90_000;
        typeof text === "string" ? !drawn().includes(text) : !text.test(drawn());
        await sleep(30)
      )
        if (performance.now() > end) throw new Error(`not shown: ${text}\n${drawn().slice(-3000)}`);
    },
    type: (keys) => void child.stdin.write(keys),
    ended: new Promise((resolve) => child.once("close", resolve)),
  };
}

test("on a terminal an approval and a question of a run that another process drives are answered in place, and it ends as the run does", async () => {
  await using scene = new Scene({ "p.yaml": pipeline });
  const running = scene.start(["run", "p.yaml", "--wait"]);
  await running.said("waits for somebody: Ship it?");
  const terminal = onTerminal(scene, "watch");
  // All runs of the home: the one there is is opened.
  await terminal.shows("1 run, 1 under way, 1 waiting for people");
  terminal.type("j\r");
  await terminal.shows(/ship waits for people: 1\/4 steps, .* driven by process \d+/);
  await terminal.shows("notes#1 | wrote the notes");
  terminal.type("ka");
  await terminal.shows(/ok!1: approve\. The run goes on\./);
  await terminal.shows("question   Which colour?");
  // What was answered is gone, and what stands in its place was not chosen: it takes a look, and then a key.
  terminal.type("\r");
  await terminal.shows("What was selected is gone. Look again.");
  terminal.type("\r");
  await terminal.shows("Answer (a number, or the words): _");
  terminal.type("2\r");
  expect((await running.ended).code).toBe(0);
  await terminal.shows(/ship succeeded: 4\/4 steps/);
  terminal.type("q");
  expect(await terminal.ended).toBe(0);
  expect(terminal.raw()).not.toContain("\u001b[?1049h");
  const kept = await keptBy(scene);
  expect(kept.of("InboxAnswered").map((e) => [e.data.by, e.data.verdict, e.data.text])).toEqual([
    ["ann", "approve", undefined],
    ["ann", "answer", "blue"],
  ]);
  expect(scene.git("show", `stepfall/${kept.runId}:SHIPPED`)).toBe("blue");
});

test("nobody drives the run: it says so, and when it is answered in place, a process goes on with it; it is cancelled by a key and a yes", async () => {
  await using scene = new Scene({ "p.yaml": pipeline });
  expect((await scene.run(["run", "p.yaml"])).code).toBe(3);
  const { runId } = await keptBy(scene);
  const terminal = onTerminal(scene, "watch", runId);
  await terminal.shows(/Nobody drives this run now. Go on with:[^]* resume/);
  terminal.type("w");
  await terminal.shows("Have it done again, told: _");
  terminal.type("say it better\r");
  await terminal.shows(/ok!1: rework\. The run goes on\./);
  // The work is done again, and asked about again, by a process that nobody has started by hand.
  await terminal.shows(/ok!2/);
  expect((await keptBy(scene)).of("AttemptStarted").map(({ data }) => data.step)).toEqual(["notes", "notes"]);
  terminal.type("cn");
  await terminal.shows("Not cancelled.");
  terminal.type("cy");
  expect(await terminal.ended).toBe(1);
  const kept = await keptBy(scene);
  expect(kept.of("InboxAnswered").map((e) => e.data)).toMatchObject([{ verdict: "rework", text: "say it better", by: "ann" }]);
  expect(kept.of("RunFinished").map(({ data }) => data.outcome)).toEqual(["cancelled"]);
});

test("a run on a terminal that waits for people shows the commands that answer, one a line; copied into another terminal they do", async () => {
  await using scene = new Scene({ "p.yaml": pipeline });
  const terminal = onTerminal(scene, "run", "p.yaml", "--wait");
  const copied = async (pattern: RegExp): Promise<void> => {
    await terminal.shows(pattern);
    const found = pattern.exec(terminal.drawn())?.[1] ?? "";
    // Of a line that is drawn over another only what differs is drawn.
    const command = found.startsWith("answer") ? `${process.execPath} ${launcher} ${found}` : found;
    const env = { PATH: process.env["PATH"], HOME: scene.folder, STEPFALL_HOME: scene.home, USER: "bob" };
    const shell = spawn("sh", ["-c", command], { cwd: scene.folder, env, stdio: ["ignore", "ignore", "inherit"] });
    expect(await new Promise((resolve) => shell.once("close", resolve)), command).toBe(0);
  };
  await copied(/^ +(\S.* approve '\w{6}\/ok!1')\r?$/m);
  await copied(/(answer '\w{6}\/which!1' blue)\r?$/m);
  expect(await terminal.ended).toBe(0);
  expect((await keptBy(scene)).of("InboxAnswered").map(({ data }) => [data.by, data.text])).toEqual([
    ["bob", undefined],
    ["bob", "blue"],
  ]);
});

test("off a terminal it is a line an event and ends with the run, its result and its exit code; --json the same as objects", async () => {
  await using scene = new Scene({ "p.yaml": pipeline });
  expect((await scene.run(["run", "p.yaml"])).code).toBe(3);
  // Whoever looks at a run that nobody drives does not wait for ever.
  const waiting = await scene.run(["watch", (await keptBy(scene)).runId]);
  expect([waiting.code, waiting.stderr]).toEqual([3, expect.stringMatching(/Nobody drives this run now\. Go on with: .* resume/)]);
  expect(waiting.stdout).toContain("waits for people");

  const running = scene.start(["run", "p.yaml", "--wait"]);
  await running.said("waits for somebody: Ship it?");
  const { runId } = await keptBy(scene);
  const [lines, objects] = [scene.start(["watch", runId]), scene.start(["watch", runId, "--json"])];
  await lines.said("ok waits for somebody: Ship it?");
  expect((await scene.run(["reject", `${runId}/ok!1`, "no"])).code).toBe(0);
  const [plain, json] = await Promise.all([lines.ended, objects.ended]);
  expect([(await running.ended).code, plain.code, json.code]).toEqual([1, 1, 1]);
  expect(plain.stderr).toMatch(
    /notes#1 started by shell\n(.*\n)*.* ok waits for somebody: Ship it\?.*\n  Ship it\?\n    .* approve '\w{6}\/ok!1'\n    .* reject .*\n    .* --rework .*\n.* says reject: no .*\n(.*\n)*.* run failed in /,
  );
  expect(plain.stdout).toContain("ship failed");
  const values = json.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const events = values.filter((v) => v["type"] === "event");
  expect(events.map((v) => v["seq"])).toEqual((await keptBy(scene)).events.map((e) => e.version));
  expect(values.at(-1)).toMatchObject({ version: 1, type: "result", exitCode: 1, runId, status: "failed" });
});
