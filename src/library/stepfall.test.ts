import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { LibraryError } from "./errors.ts";
import { Stepfall, type StepfallOptions } from "./stepfall.ts";
import { input } from "./typed/inputs.ts";
import { json } from "./typed/json-output.ts";
import { pipeline } from "./typed/pipeline.ts";

/** One real git project, runs with a home of their own. */
let folder: string;
let project: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-library-"));
  project = join(folder, "project");
  mkdirSync(project);
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(join(project, "README.md"), "# A project\n");
  commit("start");
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

const git = (...args: string[]): string => execFileSync("git", args, { cwd: project, encoding: "utf8" });
function commit(message: string): void {
  git("add", "--all");
  git("-c", "user.name=Tester", "-c", "user.email=tester@localhost", "commit", "--quiet", "--message", message);
}
const open = (options: Partial<StepfallOptions> = {}): Stepfall =>
  new Stepfall({ project, home: join(folder, "home"), env: { PATH: process.env["PATH"], USER: "ann" }, slots: 2, ...options });

const Plan = z.object({ parts: z.array(z.object({ name: z.string() })) });
const parts = pipeline("parts", { inputs: { count: input.integer({ default: 2 }) } }, ({ agent, forEach, inputs }) => {
  const plan = agent("plan", { prompt: `Plan ${inputs.count} parts`, agent: "planner", output: json("plan.json", Plan) });
  const built = forEach("built", plan.output.parts, (part) => ({
    prompt: `Build ${part.name}`,
    agent: "builder",
    outputs: [`${part.name}.txt`],
    gates: [`grep -q built ${part.name}.txt`],
  }));
  return { plan, count: inputs.count, built };
});

test("functions do the steps of a typed pipeline; its outputs are typed, and what they left is on the run's branch", async () => {
  await using stepfall = open();
  stepfall
    .agent("planner", (task) => {
      const count = Number(/\d+/.exec(task.prompt)?.[0]);
      const plan = { parts: Array.from({ length: count }, (_, i) => ({ name: `part${i}` })) };
      return { summary: "planned", files: [{ path: "plan.json", content: JSON.stringify(plan) }] };
    })
    .agent("builder", (task, { workspace }) => {
      const name = /Build (\w+)/.exec(task.prompt)?.[1] ?? "";
      writeFileSync(join(workspace?.tree ?? "", `${name}.txt`), `built ${name}\n`);
      return `built ${name}`;
    });
  const run = await stepfall.run(parts, { inputs: { count: 3 } });
  const seen: string[] = [];
  for await (const { event, version } of run.events()) {
    expect(version).toBe(seen.length + 1);
    seen.push(event.type);
  }
  expect([seen[0], seen.at(-1)]).toEqual(["RunStarted", "RunFinished"]);
  const result = await run.result();
  if (result.outcome !== "succeeded") throw new Error(JSON.stringify(result, null, 1));
  expectTypeOf(result.outputs).toEqualTypeOf<{ plan: z.infer<typeof Plan>; count: number; built: null[] }>();
  expect(result.outputs).toEqual({
    plan: { parts: [{ name: "part0" }, { name: "part1" }, { name: "part2" }] },
    count: 3,
    built: [null, null, null],
  });
  expect(result.steps["plan"]).toMatchObject({ kind: "agent", status: "completed", summary: "planned", agent: "planner", attempts: 1 });
  expect(Object.keys(result.steps)).toContain("built/part1");
  expect(result.diff.files.map((f) => f.path).sort()).toEqual(["part0.txt", "part1.txt", "part2.txt", "plan.json"]);
  expect(git("show", `${result.branch}:part2.txt`)).toBe("built part2\n");
  expect(result.bill.total).toMatchObject({ calls: 0, microUsd: 0 });
  expect(git("status", "--porcelain")).toBe("");
});

test("several runs at once share the slots, and what is counted is what is going on", async () => {
  await using stepfall = open({ home: join(folder, "home-slots") });
  let running = 0;
  let most = 0;
  const go = Promise.withResolvers<void>();
  stepfall.agent(
    "slow",
    async () => {
      most = Math.max(most, ++running);
      await go.promise;
      running--;
      return "done";
    },
    { needsWorkspace: false },
  );
  const wide = pipeline("wide", {}, ({ agent }) =>
    ["a", "b"].forEach((id) => agent(id, { prompt: "Wait", agent: "slow", readonly: true })),
  );
  const runs = await Promise.all([stepfall.run(wide), stepfall.run(wide), stepfall.run(wide)]);
  while ((await stepfall.stats()).attempts.running < 2) await sleep(10);
  await sleep(100);
  expect(await stepfall.stats()).toMatchObject({
    runs: { total: 3, open: 3, succeeded: 0 },
    attempts: { running: 2, queued: 4, oldestWaitMs: expect.any(Number) },
    slots: 2,
    spent: { calls: 0, microUsd: 0 },
  });
  go.resolve();
  const results = await Promise.all(runs.map((run) => run.result()));
  expect(results.map((r) => r.outcome)).toEqual(["succeeded", "succeeded", "succeeded"]);
  expect(most).toBe(2);
  expect(await stepfall.stats()).toMatchObject({ runs: { total: 3, open: 0, succeeded: 3 }, attempts: { running: 0, queued: 0 } });
});

test("people answer from the program; a run that is cancelled says so", async () => {
  await using stepfall = open({ home: join(folder, "home-people") });
  const release = pipeline("release", {}, ({ ask, approve, command }) => {
    const who = ask("who", { question: "Who?", choices: ["ann", "bob"] });
    const ok = approve("ok", { title: `Ship for ${who.output.answer}?`, who: ["ann"] });
    command("ship", { command: `echo ${who.output.answer} > who.txt`, outputs: ["who.txt"], needs: ok });
    return { who: who.output.answer };
  });
  const run = await stepfall.run(release);
  for await (const { event } of run.events()) {
    if (event.type !== "InboxOpened") continue;
    const { item, kind, title } = event.data;
    expect((await stepfall.inbox()).map((row) => row.item)).toEqual([item]);
    if (kind === "question") await run.answer(item, "bob");
    else {
      expect(title).toBe("Ship for bob?");
      await expect(run.approve(item, { by: "eve" })).rejects.toMatchObject({ code: "ANSWER_REFUSED" });
      await run.approve(item);
    }
  }
  const result = await run.result();
  expect(result).toMatchObject({ outcome: "succeeded", outputs: { who: "bob" } });
  expect(git("show", `${result.branch}:who.txt`)).toBe("bob\n");

  const second = await stepfall.run(release);
  await second.cancel("not today");
  expect(await second.result()).toMatchObject({ outcome: "cancelled", outputs: {}, steps: { ship: { status: "cancelled" } } });
  const third = await stepfall.run(release, { waitForPeople: false });
  expect(await third.result()).toMatchObject({ outcome: "waiting", items: [{ kind: "question", title: "Who?" }] });
});

test("closing stops what runs; another Stepfall goes on with it", async () => {
  const home = join(folder, "home-resume");
  const two = {
    yaml: "name: two\nsteps:\n  a: { prompt: Do, agent: worker, readonly: true }\n  b: { command: 'echo b > b.txt', needs: a, outputs: [b.txt] }\n",
  };
  let runId: string;
  {
    await using stepfall = open({ home });
    const started = Promise.withResolvers<void>();
    stepfall.agent("worker", async (_, { signal }) => {
      started.resolve();
      await sleep(60_000, undefined, { signal });
      return "never";
    });
    const run = await stepfall.run(two);
    runId = run.id;
    await started.promise;
    await stepfall.close();
    expect(await run.result()).toMatchObject({ outcome: "stopped", steps: { a: { attempts: 1 }, b: { attempts: 0 } } });
    await expect(stepfall.run(two)).rejects.toMatchObject({ code: "CLOSED" });
  }
  await using stepfall = open({ home });
  await expect(stepfall.resume(runId)).rejects.toMatchObject({ code: "STEP_NOT_ROUTABLE" });
  stepfall.agent("worker", () => "done");
  const run = await stepfall.resume(runId);
  await expect(stepfall.resume(runId)).rejects.toMatchObject({ code: "RUN_DRIVEN" });
  expect(await run.result()).toMatchObject({ outcome: "succeeded", steps: { a: { attempts: 2 }, b: { status: "completed" } } });
  expect(await (await stepfall.resume(runId)).result()).toMatchObject({ runId, outcome: "succeeded" });
  await expect(stepfall.resume("nowhere")).rejects.toMatchObject({ code: "RUN_UNKNOWN" });
});

test("a model of the settings works for a function and is billed; a spent budget stops, and a higher one goes on", async () => {
  const script = "script.json";
  writeFileSync(
    join(project, script),
    JSON.stringify({ rules: [{ when: { user: "say" }, turns: [{ text: "hello", usage: { promptTokens: 1000, completionTokens: 10 } }] }] }),
  );
  await using stepfall = open({
    home: join(folder, "home-model"),
    settings: {
      agents: { coder: { executor: "chat", model: "fake/small" } },
      providers: { fake: { script, prices: { small: { input: 10, output: 10 } } } },
    },
  });
  stepfall.agent(
    "caller",
    async (_, { gateway }) => {
      if (!gateway) throw new Error("no gateway");
      const answered = await fetch(`${gateway.url}/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
        body: JSON.stringify({ model: gateway.model, max_tokens: 100, messages: [{ role: "user", content: "say" }] }),
      });
      if (!answered.ok) throw new Error(`${answered.status}`);
      return ((await answered.json()) as { choices: [{ message: { content: string } }] }).choices[0].message.content;
    },
    { modelOf: "coder", needsWorkspace: false },
  );
  const talk = pipeline("talk", {}, ({ agent }) => ({ said: agent("talk", { prompt: "Talk", agent: "caller", readonly: true }).summary }));
  const poor = await stepfall.run(talk, { budget: 0.0001 });
  const stopped = await poor.result();
  expect(stopped).toMatchObject({ outcome: "budget", limit: 100 });
  await expect(stepfall.resume(poor.id)).rejects.toMatchObject({ code: "BUDGET_SPENT" });
  const result = await (await stepfall.resume(poor.id, { budget: 1 })).result();
  expect(result).toMatchObject({ outcome: "succeeded", outputs: { said: "hello" } });
  expect(result.bill.total).toMatchObject({ calls: 1, inputTokens: 1000, outputTokens: 10, microUsd: 10_100 });
  expect((await stepfall.stats()).spent.microUsd).toBe(10_100);
});

test("secrets reach the step's environment and nothing that is kept", async () => {
  const home = join(folder, "home-secrets");
  await using stepfall = open({ home, secrets: { CODENAME: "s3cr3t-value-123" } });
  const use = pipeline("use", { secrets: ["CODENAME"] }, ({ command, secrets }) => {
    command("use", {
      command: 'test ${#CODENAME} -eq 16 && echo "it is $CODENAME"',
      readonly: true,
      env: { CODENAME: secrets["CODENAME"] ?? "" },
    });
  });
  const run = await stepfall.run(use);
  expect(await run.result()).toMatchObject({ outcome: "succeeded" });
  const holding = (text: string): string => spawnSync("grep", ["-rlF", text, home], { encoding: "utf8" }).stdout;
  expect(holding("it is ***")).toContain(run.id);
  expect(holding("s3cr3t-value-123")).toBe("");
  const missing = pipeline("missing", { secrets: ["OTHER"] }, ({ command }) => void command("a", { command: "true", readonly: true }));
  await expect(stepfall.run(missing)).rejects.toMatchObject({ code: "SECRET_MISSING" });
});

test("what cannot be run is refused before anything is made", async () => {
  await using stepfall = open({ home: join(folder, "home-refused") });
  const refs = git("for-each-ref");
  writeFileSync(join(project, "dirty.txt"), "not committed\n");
  // @ts-expect-error -- an input of the wrong type
  await expect(stepfall.run(parts, { inputs: { count: "many" } })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  await expect(stepfall.run({ yaml: "steps: { a: { command: x } }" })).rejects.toBeInstanceOf(LibraryError);
  await expect(stepfall.run("missing.yaml")).rejects.toMatchObject({ code: "PIPELINE_INVALID" });
  await expect(stepfall.run(parts, { includeDirty: true })).rejects.toMatchObject({ code: "STEP_NOT_ROUTABLE" });
  rmSync(join(project, "dirty.txt"));
  expect(() => stepfall.agent("a", () => "x").agent("a", () => "y")).toThrow("registered already");
  await using wrong = open({ settings: { slotz: 1 } });
  await expect(wrong.run(parts)).rejects.toMatchObject({ code: "SETTINGS_INVALID" });
  expect(git("for-each-ref")).toBe(refs);
  expect((await stepfall.stats()).runs.total).toBe(0);
});

test("settings are those of the commit a run starts from, and a file is a pipeline too", async () => {
  writeFileSync(join(project, "stepfall.yaml"), "setup: ['echo prepared > $TMPDIR/prepared.txt']\n");
  writeFileSync(
    join(project, "one.yaml"),
    "inputs: { word: string }\nsteps: { a: { command: 'cat $TMPDIR/prepared.txt > a.txt; echo ${{ inputs.word }} >> a.txt', outputs: [a.txt] } }\n",
  );
  await using stepfall = open({ home: join(folder, "home-settings") });
  const before = await (await stepfall.run("one.yaml", { inputs: { word: "x" } })).result();
  expect(before).toMatchObject({ outcome: "succeeded" });
  expect(git("show", `${before.branch}:a.txt`)).toBe("x\n");
  const dirty = await (await stepfall.run("one.yaml", { inputs: { word: "y" }, includeDirty: true })).result();
  expect(git("show", `${dirty.branch}:a.txt`)).toBe("prepared\ny\n");
  writeFileSync(join(project, "typed.mjs"), "export default { name: 'x' };");
  await expect(stepfall.run("typed.mjs")).rejects.toThrow("is no pipeline of this installation");
  await using busy = open({ home: join(folder, "home-settings") });
  busy.agent("slow", (_, { signal }) => sleep(60_000, "never", { signal }), { needsWorkspace: false });
  await busy.run({ yaml: "steps: { a: { prompt: Wait, agent: slow, readonly: true } }" });
  commit("settings");
  await expect(busy.run("one.yaml", { inputs: { word: "z" } })).rejects.toMatchObject({ code: "SETTINGS_CHANGED" });
  const after = await (await stepfall.run("one.yaml", { inputs: { word: "z" } })).result();
  expect(git("show", `${after.branch}:a.txt`)).toBe("prepared\nz\n");
});
