import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventType, Recorded } from "../../src/domain/index.ts";
import { Dashboard, lacksBrowser, launchBrowser, type Visitor } from "./browser.testkit.ts";

/** An agent whose first tool waits; only of what it is told meanwhile it knows what to write. */
const tell = `name: tell
inputs: { go: { type: string } }
steps:
  fix:
    prompt: Tidy up, and wait for \${{ inputs.go }}.
    agent: coder
    outputs: [OUT]
    gates: ["grep -q tabs OUT"]
    retry: 1
`;
const hand = `name: hand
steps:
  a: { prompt: write out.txt, agent: slow, outputs: [out.txt], retry: 1 }
`;
const ask = `name: ask
steps:
  go: { approve: "Shall it go on?" }
`;
const make = `name: make
inputs: { version: { type: string } }
steps:
  notes: { command: "echo version \${{ inputs.version }} > NOTES", outputs: [NOTES] }
  more: { needs: notes, command: "mkdir -p docs && echo 'if (ok) {\\u202e } // x' > docs/MORE", outputs: [docs/MORE] }
`;
const half = `name: half
steps:
  first: { command: "echo half > HALF", outputs: [HALF] }
  second: { needs: first, command: "exit 1", readonly: true }
`;
/** Waits for a file that is there the second time. */
const stopped = `name: stopped
inputs: { go: { type: string } }
steps:
  wait: { command: "until test -e \${{ inputs.go }}; do sleep 0.1; done", readonly: true }
`;
/** `said`: a file that its first tool waits for. */
const answers = (said: string): string =>
  JSON.stringify({
    rules: [
      { when: { lastToolResult: "finished" }, answer: { text: "Done." } },
      { when: { anywhere: "use tabs" }, answer: run("echo tabs > OUT; echo finished") },
      { when: { toolResults: 0 }, answer: run(`until [ -e ${said} ]; do sleep 0.05; done`) },
      { answer: { text: "Nobody told me anything." } },
    ],
  });
const run = (command: string): object => ({ toolCalls: [{ name: "run_command", arguments: { command } }] });
const files = {
  "stepfall.yaml": `agents:
  coder: { executor: chat, model: made-up/m }
  slow: { executor: shell, command: "echo begun; sleep 60" }
  quick: { executor: shell, command: "echo done > out.txt" }
providers: { made-up: { script: answers.json } }
`,
  "answers.json": "{}",
  "tell.yaml": tell,
  "hand.yaml": hand,
  "ask.yaml": ask,
  "make.yaml": make,
  "half.yaml": half,
  "stopped.yaml": stopped,
};

const LONG = 240_000;

describe.skipIf(lacksBrowser())("steering a run from its page", () => {
  let browser: Browser;
  let dashboard: Dashboard;
  let anna: Visitor;
  let page: Page;
  /** A run that waits for people. */
  let waiting: string;
  const file = (name: string): string => join(dashboard.scene.folder, name);
  beforeAll(async () => {
    [browser, dashboard] = await Promise.all([launchBrowser(), Dashboard.open(files)]);
    dashboard.scene.write({ "answers.json": answers(file("said")) });
    dashboard.scene.git("commit", "--quiet", "--all", "--message", "script");
    anna = await dashboard.logIn(browser, { width: 1440 });
    page = anna.page;
  }, LONG);
  afterAll(async () => {
    for (const name of ["said", "go"]) if (dashboard && !existsSync(file(name))) writeFileSync(file(name), "");
    await anna?.[Symbol.asyncDispose]();
    await browser?.close();
    await dashboard?.[Symbol.asyncDispose]();
  }, LONG);

  const begin = async (pipeline: string, inputs: Record<string, string> = {}): Promise<string> => {
    const { runId } = await dashboard.control.start("test:x", {
      project: dashboard.scene.project,
      pipeline: { file: `${pipeline}.yaml` },
      inputs,
    });
    await anna.goto(`/runs/${runId}`);
    return runId;
  };
  const over = (runId: string) => dashboard.control.wait(runId, { timeoutMs: 120_000 });
  const button = (name: string | RegExp, at: Page | Locator = page): Locator => at.getByRole("button", { name, exact: true });
  const panel = (name: string): Locator => page.getByRole("region", { name: `Step ${name}`, exact: true });
  const journal = async (runId: string, type: EventType): Promise<Recorded[]> =>
    (await dashboard.control.events(runId, { limit: 1000 })).filter(({ event }) => event.type === type);

  test("what is said to an agent at work reaches it, and what it was told at first is there word for word", { timeout: LONG }, async () => {
    const runId = await begin("tell", { go: file("go") });
    await panel("fix").getByRole("tab", { name: "Prompt" }).click();
    await panel("fix")
      .getByText(`Tidy up, and wait for ${file("go")}.`)
      .waitFor();
    // Not only what the pipeline says.
    await panel("fix").getByText("`grep -q tabs OUT` exits 0").waitFor();
    await panel("fix").getByText("word for word").waitFor();
    await panel("fix").getByRole("searchbox", { name: "Search the prompt" }).fill("EXITS 0");
    await panel("fix").getByText("1 of 1").waitFor();
    await panel("fix").getByRole("tab", { name: "Attempts" }).click();
    await button("Say something to the agent").click();
    await page.getByLabel("What shall the agent know?").fill("use tabs <b>please</b>");
    await button("Send").click();
    const said = page.getByRole("list", { name: "Messages to the agent" });
    await said.getByText("use tabs <b>please</b>").waitFor();
    writeFileSync(file("said"), "");
    await said.getByText(", delivered").waitFor();
    expect(await over(runId)).toMatchObject({ outcome: "succeeded" });
    expect((await journal(runId, "MessageSent")).map((e) => [e.actor, e.event.data])).toEqual([
      ["web:anna", expect.objectContaining({ step: "fix", text: "use tabs <b>please</b>", by: "anna" })],
    ]);
    await page.getByRole("heading", { name: /succeeded tell/ }).waitFor();
    // Nobody is at work any more: nothing can be said, and the run is not what one can cancel.
    expect(await button(/^(Say something|Give it|Cancel)/).count()).toBe(0);
  });

  test("a step is given to another agent, with a reason", { timeout: LONG }, async () => {
    const runId = await begin("hand");
    await panel("a").getByRole("heading", { name: "Attempt 1 runs" }).waitFor();
    await button("Give it to another agent").click();
    await page.getByLabel("To").selectOption("quick");
    await page.getByRole("textbox", { name: /^Why/ }).fill("it only sleeps");
    await button("End this attempt and reassign").click();
    await panel("a").getByText("by anna to quick: it only sleeps").waitFor();
    expect(await over(runId)).toMatchObject({ outcome: "succeeded" });
    expect((await journal(runId, "StepReassigned")).map((e) => [e.actor, e.event.data])).toEqual([
      ["web:anna", { step: "a", by: "anna", agent: "quick", because: "it only sleeps" }],
    ]);
  });

  test(
    "a run is cancelled with a reason, and started again: the new run's page opens, and the old one stays as it was",
    { timeout: LONG },
    async () => {
      const runId = await begin("ask");
      await page.getByRole("heading", { name: /waits for people ask/ }).waitFor();
      // It is answered, not resumed.
      expect(await button("Resume").count()).toBe(0);
      expect(await button("Start again").count()).toBe(0);
      await button("Cancel").click();
      await page.getByRole("textbox", { name: /^Why/ }).fill("not today");
      await button("Cancel the run").click();
      await page.getByRole("heading", { name: /cancelled ask/ }).waitFor();
      await page.getByText("not today").first().waitFor();
      expect((await journal(runId, "CancelRequested")).map((e) => [e.actor, e.event.data])).toEqual([
        ["web:anna", { reason: "not today" }],
      ]);
      // It changed nothing: there is nothing to merge.
      expect(await button(/^(Merge|Whole change)$/).count()).toBe(0);

      await button("Start again").click();
      const dialog = page.getByRole("dialog", { name: "Start again" });
      await dialog.getByText("A new run of ask").waitFor();
      await button("Start again", dialog).click();
      await expect.poll(() => page.url(), { timeout: 60_000 }).not.toContain(runId);
      await page.getByRole("heading", { name: /waits for people ask/ }).waitFor();
      const [again] = await dashboard.control.runs();
      expect(page.url()).toContain(again!.runId);
      expect(again).toMatchObject({ pipeline: "ask", status: "waiting" });
      waiting = again!.runId;
    },
  );

  test("a run that nobody drives says so, and is resumed; what is no amount is no limit", { timeout: LONG }, async () => {
    const running = dashboard.scene.start(["run", "stopped.yaml", "--with", `go=${file("go")}`, "--grace", "0s"]);
    await running.said("wait#1 started");
    running.child.kill("SIGINT");
    running.child.kill("SIGINT");
    await running.ended;
    const runId = (await dashboard.control.runs())[0]!.runId;
    await anna.goto(`/runs/${runId}`);
    await page.getByText("Nobody drives it").waitFor();
    await page.getByText(`stepfall resume ${runId}`).waitFor();
    await button("Resume").click();
    const dialog = page.getByRole("dialog", { name: "Resume the run" });
    await dialog.getByLabel(/A new limit/).fill("much");
    await dialog.getByText("A number above 0").waitFor();
    expect(await button("Resume", dialog).isDisabled()).toBe(true);
    await dialog.getByLabel(/A new limit/).fill("");
    await button("Resume", dialog).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("Nobody drives it").waitFor({ state: "detached" });
    writeFileSync(file("go"), "");
    expect(await over(runId)).toMatchObject({ outcome: "succeeded" });
    await page.getByRole("heading", { name: /succeeded stopped/ }).waitFor();
  });

  test(
    "the whole change is looked at and merged: what stands in the way is told with its files, and nothing was done",
    { timeout: LONG },
    async () => {
      const { scene } = dashboard;
      const runId = await begin("make", { version: "2" });
      await over(runId);
      await button("Whole change").click();
      const change = page.getByRole("region", { name: "Change of the whole run" });
      await change.getByText("version 2").waitFor();
      await change.getByText("docs/MORE (added)").waitFor();
      // What would turn the line around is seen.
      await change.getByText("if (ok) {⟨U+202E⟩ } // x").waitFor();
      await change.getByText("It holds characters that are not seen").waitFor();
      // The page can be linked to, and the way back to the step is short.
      await page.reload();
      await change.getByText("version 2").waitFor();
      await button("Back to the step").click();
      await panel("notes").waitFor();

      scene.write({ NOTES: "mine\n" });
      const before = scene.git("rev-parse", "HEAD");
      await button("Merge").click();
      const dialog = page.getByRole("dialog", { name: "Merge the result into main" });
      await dialog.getByRole("list", { name: "Files it changes" }).getByText("docs/MORE").waitFor();
      await dialog.getByText(scene.project).waitFor();
      await button("Merge into main", dialog).click();
      await dialog.getByRole("alert").getByText("Commit or stash them, then merge again.").waitFor();
      await dialog.getByRole("list", { name: "Files in the way" }).getByText("NOTES").waitFor();
      expect([scene.git("rev-parse", "HEAD"), await journal(runId, "RunMerged")]).toEqual([before, []]);

      rmSync(join(scene.project, "NOTES"));
      await button("Try again", dialog).click();
      await dialog.waitFor({ state: "detached" });
      await page.getByText(/Its result was merged into main \([0-9a-f]{8}\) by anna/).waitFor();
      expect(await button("Merge").count()).toBe(0);
      expect(scene.git("show", "HEAD:NOTES")).toBe("version 2");
      expect((await journal(runId, "RunMerged")).map((e) => [e.actor, e.event.data])).toEqual([
        ["web:anna", { into: "main", commit: scene.git("rev-parse", "HEAD") }],
      ]);
      // As it was: it was not merged then.
      await page.keyboard.press("[");
      await page.getByText("As it was:").waitFor();
      expect(await page.getByText("Its result was merged").count()).toBe(0);
      await page.keyboard.press("Escape");
      await page.getByText("Its result was merged").waitFor();
    },
  );

  test("what a failed run has done before it failed is merged only by who says that it is not all", { timeout: LONG }, async () => {
    const runId = await begin("half");
    expect(await over(runId)).toMatchObject({ outcome: "failed" });
    await button("Merge").click();
    const dialog = page.getByRole("dialog", { name: "Merge the result into main" });
    expect(await button("Merge into main", dialog).isDisabled()).toBe(true);
    await dialog.getByLabel(/The run failed, so this is only what was done before/).check();
    await dialog.getByText(`stepfall merge --partial ${runId}`).waitFor();
    await button("Merge into main", dialog).click();
    await page.getByText(/Its result was merged into main/).waitFor();
    expect(dashboard.scene.git("show", "HEAD:HALF")).toBe("half");
  });

  test("a viewer has none of these buttons, and an operator all but the merge", { timeout: LONG }, async () => {
    const done = await begin("make", { version: "3" });
    await over(done);
    const seen = async (role: "viewer" | "operator"): Promise<string[][]> => {
      await using visitor = await dashboard.logIn(browser, { role });
      const names: string[][] = [];
      for (const runId of [waiting, done]) {
        await visitor.goto(`/runs/${runId}`);
        await visitor.page.getByRole("heading", { name: /^(waits for people ask|succeeded make)/ }).waitFor();
        await visitor.page.getByText(`anna · ${role}`).waitFor();
        names.push(await visitor.page.locator("main header").first().getByRole("button").allInnerTexts());
      }
      expect(visitor.complaints).toEqual([]);
      return names;
    };
    expect(await seen("viewer")).toEqual([[], ["Whole change"]]);
    expect(await seen("operator")).toEqual([["Cancel"], ["Whole change", "Start again"]]);
    expect(anna.complaints.filter((c) => !/status of 4\d\d .*\/merge$/.test(c))).toEqual([]);
    expect(await anna.serious()).toEqual([]);
  });
});
