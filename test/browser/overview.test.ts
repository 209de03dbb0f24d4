import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { madeUpRun } from "../../bench/dashboard-journal.ts";
import { openStoreIn, Player } from "../../bench/dashboard-store.ts";
import { rememberOpened } from "../../src/setup/opened-projects.ts";
import { Dashboard, lacksBrowser, launchBrowser, type Visitor } from "./browser.testkit.ts";

const waits = `name: waits
steps:
  ask: { approve: "Shall it go on?" }
`;
const fails = `name: nightly
inputs: { why: { type: string, default: "no reason" } }
steps:
  lint: { command: "echo \${{ inputs.why }}; exit 3", readonly: true }
`;
const LONG = 240_000;

describe.skipIf(lacksBrowser())("the overview", () => {
  let browser: Browser;
  let dashboard: Dashboard;
  let anna: Visitor;
  beforeAll(async () => {
    [browser, dashboard] = await Promise.all([launchBrowser(), Dashboard.open({ "waits.yaml": waits, "fails.yaml": fails })]);
    anna = await dashboard.logIn(browser);
  }, LONG);
  afterAll(async () => {
    await anna?.[Symbol.asyncDispose]();
    await browser?.close();
    await dashboard?.[Symbol.asyncDispose]();
  }, LONG);

  const start = async (file: string, inputs: Record<string, string> = {}): Promise<string> => {
    const { runId } = await dashboard.control.start("test:x", { project: dashboard.scene.project, pipeline: { file }, inputs });
    await dashboard.control.wait(runId, { timeoutMs: 60_000 });
    return runId;
  };
  const box = (runId: string) => anna.page.getByRole("checkbox", { name: new RegExp(`^Choose \\w+ ${runId.slice(-6)}$`) });

  test("somebody new is told what a first run takes, what of it is there, and what to type", { timeout: LONG }, async () => {
    const { page } = anna;
    const first = page.getByRole("region", { name: "No run yet: your first one" });
    await first.getByText("A project: project").waitFor();
    await first.getByText(dashboard.scene.project, { exact: true }).waitFor();
    // `shell` is always registered, and can do no task: it must not pass for an agent.
    const { agents } = await dashboard.control.agents(dashboard.scene.project);
    const workers = agents.filter(({ executor }) => executor !== "shell");
    if (workers.length === 0) await first.getByText(`${dashboard.scene.home}/secrets`).waitFor();
    else await first.getByText(`Agents: ${workers[0]?.id}`).waitFor();
    expect(await first.getByText("Agents: shell").count()).toBe(0);
    await first.getByRole("button", { name: "Run the sample" }).waitFor();

    await first.getByRole("button", { name: /Start work/ }).click();
    // Said before anything is filled in.
    if (workers.length === 0) await page.getByText("No agent can do a task here yet.").waitFor();
    await page.getByLabel(/Tasks, one a line/).fill("Fix the cart");
    await page.getByLabel(/^Budget/).fill("1,50");
    await page.getByText('"1,50" is no amount of USD').waitFor();
    expect(await page.getByRole("button", { name: "Start", exact: true }).isDisabled()).toBe(true);
    await page.getByLabel(/^Budget/).fill("1.50");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    const told = page.getByRole("alert");
    await told.getByText("NO_GATE").waitFor();
    // In the words of this window, not of a command line.
    expect(await told.innerText()).not.toContain("--");
    await page.keyboard.press("Escape");
    expect(await anna.serious()).toEqual([]);
    anna.complaints.length = 0;
  });

  test("a viewer who is new is not offered what they may not do", { timeout: LONG }, async () => {
    await using eve = await dashboard.logIn(browser, { role: "viewer" });
    await eve.page.getByText("A task, in a sentence").waitFor();
    expect(await eve.page.getByRole("button", { name: /Start work|Run the sample/ }).count()).toBe(0);
    // Without the home it would be a run of a home of its own, which nobody sees here.
    await eve.page.getByRole("button", { name: `Copy the command stepfall --home ${dashboard.scene.home} demo --approve` }).waitFor();
    expect(eve.complaints).toEqual([]);
  });

  test("somebody who has no agent yet runs the sample with one click, and it waits for them here", { timeout: LONG }, async () => {
    const { page } = anna;
    await page.getByRole("button", { name: "Run the sample" }).click();
    await page.waitForURL(/\/runs\/.+/, { timeout: 120_000 });
    const runId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const { project } = await dashboard.control.state(runId);
    try {
      await dashboard.control.wait(runId, { timeoutMs: 120_000 });
      await page.keyboard.press("g");
      await page.keyboard.press("o");
      await page
        .locator(`[data-run="${runId}"]`)
        .getByText(/waits for you/)
        .waitFor();
      // Whoever was led here from a project that has no run yet keeps it, with what a first run takes, wherever they go.
      const other = join(dashboard.scene.folder, "blog");
      dashboard.scene.git("clone", "--quiet", dashboard.scene.project, other);
      rememberOpened(dashboard.scene.home, other);
      await anna.goto(`/?project=${encodeURIComponent(other)}`);
      await page.getByText("A project: blog").waitFor();
      const pages = page.getByRole("navigation", { name: "Pages" });
      await pages.getByRole("link", { name: "Agents" }).click();
      await pages.getByRole("link", { name: "Overview" }).click();
      await page
        .getByRole("button", { name: /^Start work/ })
        .first()
        .click();
      expect(
        await page
          .getByLabel(/^Project:/)
          .first()
          .inputValue(),
      ).toBe(other);
      await page.keyboard.press("Escape");
      expect(anna.complaints).toEqual([]);
    } finally {
      await dashboard.control.cancel("test:x", runId);
      rmSync(dirname(project), { recursive: true, force: true });
    }
  });

  test(
    "several runs are chosen with shift and with keys, cancelled with one question that says how many, and each is told what became of it",
    { timeout: LONG },
    async () => {
      const { page } = anna;
      const [first, second, third] = [await start("waits.yaml"), await start("waits.yaml"), await start("waits.yaml")];
      const failed = await start("fails.yaml");
      await page.getByRole("table", { name: "Runs that are over" }).locator(`[data-run="${failed}"]`).waitFor();
      // From the newest that goes on to the oldest; the failed one is below them.
      await box(third).click();
      await box(first).click({ modifiers: ["Shift"] });
      expect(await box(second).isChecked()).toBe(true);
      await page.getByText("3 runs chosen").waitFor();
      // With keys: to the failed one, and choose it too.
      await page.keyboard.press("j");
      await page.keyboard.press("x");
      await page.getByText("4 runs chosen").waitFor();
      expect(await box(failed).isChecked()).toBe(true);
      // Of them three can be cancelled, and one can be started again.
      await page.getByRole("button", { name: "Start 1 again…" }).waitFor();
      await page.getByRole("button", { name: "Cancel 3…" }).click();
      const asked = page.getByRole("dialog", { name: "Cancel 3 runs?" });
      expect(await asked.getByRole("listitem").count()).toBe(3);
      await asked.getByLabel(/^Why/).fill("not today");
      await asked.getByRole("button", { name: "Cancel 3 runs" }).click();
      const told = page.getByRole("region", { name: "What became of them" });
      await told.getByText("3 cancelled.").waitFor({ timeout: 120_000 });
      const reasons = await Promise.all([first, second, third].map(async (id) => (await dashboard.control.state(id)).cancel));
      expect(reasons).toEqual([{ reason: "not today" }, { reason: "not today" }, { reason: "not today" }]);
      // It is not lost by looking at another page.
      await page.keyboard.press("g");
      await page.keyboard.press("c");
      await page.getByRole("heading", { level: 1, name: "Cost" }).waitFor();
      await page.keyboard.press("g");
      await page.keyboard.press("o");
      await told.getByText("3 cancelled.").waitFor();
      await told.getByRole("button", { name: "Put away" }).click();
      expect(await told.count()).toBe(0);
      expect(anna.complaints).toEqual([]);
    },
  );

  test(
    "those that failed are started again with what they were given; one that cannot be is named, with why",
    { timeout: LONG },
    async () => {
      const { page } = anna;
      const good = await start("fails.yaml", { why: "of the moon" });
      const bad = await start("fails.yaml");
      await page.getByRole("table", { name: "Runs that are over" }).locator(`[data-run="${bad}"]`).waitFor();
      await page.keyboard.press("Escape");
      await box(good).click();
      await box(bad).click();
      await page.getByRole("button", { name: "Start 2 again…" }).click();
      const before = new Set((await dashboard.control.runs()).map(({ runId }) => runId));
      // The server has no room for the first at first, and says so before it looks at it; the second it refuses for good.
      let tries = 0;
      await page.route(`**/api/v1/runs/${good}/again`, (route) =>
        tries++ > 0
          ? route.continue()
          : route.fulfill({
              status: 429,
              contentType: "application/problem+json",
              body: JSON.stringify({ status: 429, code: "TOO_MANY_CHANGES", detail: "Changes are asked for too fast.", hint: "" }),
            }),
      );
      await page.route(`**/api/v1/runs/${bad}/again`, (route) =>
        route.fulfill({
          status: 409,
          contentType: "application/problem+json",
          body: JSON.stringify({ status: 409, code: "GONE", detail: "its pipeline is gone", hint: "Write it anew." }),
        }),
      );
      await page.getByRole("dialog", { name: "Start 2 runs again?" }).getByRole("button", { name: "Start 2 runs again" }).click();
      const told = page.getByRole("region", { name: "What became of them" });
      await told.getByText("1 started again. 1 of 2 not done.").waitFor({ timeout: 120_000 });
      await told.getByText("its pipeline is gone Write it anew.").waitFor();
      const [again] = (await dashboard.control.runs()).filter(({ runId }) => !before.has(runId));
      await told.getByRole("link", { name: again!.runId.slice(-6) }).waitFor();
      const state = await dashboard.control.state(again!.runId);
      expect(state.inputs).toEqual({ why: "of the moon" });
      await dashboard.control.wait(again!.runId, { timeoutMs: 60_000 });
      expect(tries).toBe(2);
      expect(anna.complaints.filter((c) => !c.endsWith("/again"))).toEqual([]);
      anna.complaints.length = 0;
      await told.getByRole("button", { name: "Put away" }).click();

      // A single one, where it stands.
      const row = page.locator(`[data-run="${good}"]`);
      await row.getByRole("button", { name: /^Start again: nightly/ }).click();
      await row.getByText(/started again as/).waitFor({ timeout: 120_000 });
    },
  );

  test("how long a run waited for people is told of those that wait, and of those that are over", { timeout: LONG }, async () => {
    const { page } = anna;
    const runId = await start("waits.yaml");
    const row = page.locator(`[data-run="${runId}"]`);
    const forPeople = row
      .getByRole("cell")
      .getByText(/for people$/)
      .filter({ visible: true });
    // It counts on, though nothing happens that would have the page read it again.
    await forPeople.getByText(/^[3-9]/).waitFor();
    const [item] = (await dashboard.control.inbox()).filter((entry) => entry.runId === runId);
    await dashboard.control.answer("test:x", item!.item, { verdict: "approve" });
    await row.getByText("succeeded").first().waitFor({ timeout: 60_000 });
    await forPeople.waitFor();
    const [told] = await dashboard.control.runs();
    expect(told!.waitedForPeopleMs).toBeGreaterThan(2_000);
    expect(await forPeople.innerText()).toBe(`${(told!.waitedForPeopleMs / 1000).toFixed(1)} s for people`);
  });

  test(
    "runs that are older than the newest hundred are there when they are asked for, and one of them that still waits always is",
    { timeout: LONG },
    async () => {
      await using full = await Dashboard.open();
      const { scene } = full;
      const store = await openStoreIn(scene.home);
      const began = Date.now() - 300 * 3_600_000;
      let notOver: Player | undefined;
      for (let i = 0; i < 230; i++) {
        const runId = `01${(1_000_000 + i).toString(32).padStart(24, "0")}`;
        const run = { runId, project: i % 2 === 0 ? scene.project : "/srv/other/project", startedAt: began + i * 3_600_000, seed: i };
        const player = new Player(store, madeUpRun({ ...run, steps: 1, attemptsPerStep: 1, slots: 1, reports: 0, everyMs: 1_000 }));
        await player.write(i === 2 ? 3 : 1_000);
        if (i === 2) notOver = player;
      }
      await using ben = await full.logIn(browser, { role: "viewer" });
      const { page } = ben;
      const rows = page.locator("[data-run]");
      await page.getByRole("heading", { name: "Going on (1)" }).waitFor();
      expect(await rows.count()).toBe(101);
      const older = page.getByRole("button", { name: "Show older runs" });
      await older.click();
      await expect.poll(() => rows.count()).toBe(201);
      await older.click();
      await expect.poll(() => rows.count()).toBe(230);
      await older.waitFor({ state: "detached" });
      expect(
        new Set(await page.evaluate<string[]>("[...document.querySelectorAll('[data-run]')].map((row) => row.dataset.run)")).size,
      ).toBe(230);
      // Two projects of one name are told apart.
      await page.getByRole("button", { name: /^other\/project/ }).click();
      await expect.poll(() => rows.count()).toBe(115);
      await page.getByRole("button", { name: "Start work" }).waitFor({ state: "detached" });
      expect(await page.getByRole("checkbox").count()).toBe(0);
      expect(await ben.serious()).toEqual([]);
      expect(ben.complaints).toEqual([]);
      // Nobody drives it: it would be waited for at the end.
      await notOver?.write(1_000);
      await store.close();
    },
  );

  test(
    "on a phone and in the dark the bar, the question and the results have nothing serious for axe, and nothing is too wide",
    { timeout: LONG },
    async () => {
      const runId = await start("waits.yaml");
      await using phone = await dashboard.logIn(browser, { width: 390, colorScheme: "dark" });
      const { page } = phone;
      const found: string[] = [];
      const look = async (what: string): Promise<void> => {
        found.push(...(await phone.serious()).map((line) => `${what}: ${line}`));
        const tooWide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if (tooWide !== 0) found.push(`${what}: ${String(tooWide)} px too wide`);
      };
      await page.getByRole("checkbox", { name: `Choose waits ${runId.slice(-6)}` }).click();
      await look("bar");
      await page.getByRole("button", { name: "Cancel 1…" }).click();
      await look("question");
      await page.getByRole("dialog").getByRole("button", { name: "Cancel 1 run" }).click();
      await page.getByText("1 cancelled.").waitFor({ timeout: 60_000 });
      await look("results");
      expect(found).toEqual([]);
      expect(phone.complaints).toEqual([]);
    },
  );
});
