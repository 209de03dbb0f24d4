import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dashboard, lacksBrowser, launchBrowser, type Visitor } from "./browser.testkit.ts";

/** No agent in it: what is tested is what people see and do. */
const release = `name: release
steps:
  notes: { command: "echo v2 > NOTES", outputs: [NOTES] }
  channel: { ask: { question: "Which channel shall it go to?", choices: [stable, beta] } }
  go:
    needs: notes
    approve: { title: "Release version 2?", detail: "<img src=x onerror=alert(1)> The notes are written." }
  publish: { needs: [go, channel], command: "echo \${{ steps.channel.output.answer }} > PUBLISHED", outputs: [PUBLISHED] }
  announce: { needs: publish, command: "true", readonly: true }
`;
const waits = `name: waits
steps:
  ask: { approve: "Shall it go on?" }
`;
const fails = `name: nightly
steps:
  lint: { command: "echo the linter says no; exit 3", readonly: true }
`;
const checked = `name: checked
steps:
  work: { command: "echo x > X", outputs: [X], gates: [{ name: slow, command: "sleep 0.3" }] }
`;
const files = { "release.yaml": release, "waits.yaml": waits, "fails.yaml": fails, "checked.yaml": checked };

const LONG = 240_000;

describe.skipIf(lacksBrowser())("the dashboard", () => {
  let browser: Browser;
  let dashboard: Dashboard;
  let anna: Visitor;
  beforeAll(async () => {
    [browser, dashboard] = await Promise.all([launchBrowser(), Dashboard.open(files)]);
    anna = await dashboard.logIn(browser);
  }, LONG);
  afterAll(async () => {
    await anna?.[Symbol.asyncDispose]();
    await browser?.close();
    await dashboard?.[Symbol.asyncDispose]();
  }, LONG);

  test(
    "somebody who was never here is told what to do, starts a run from the page, and sees at a glance that it waits for them",
    { timeout: LONG },
    async () => {
      const { page } = anna;
      await page.getByRole("heading", { name: "No run yet: your first one" }).waitFor();
      await page.getByText('stepfall do "Fix the failing test"').waitFor();

      await page.keyboard.press("n");
      await page.getByRole("tab", { name: "Run a pipeline" }).click();
      expect(await page.getByLabel("Project: the folder").inputValue()).toBe(dashboard.scene.project);
      await page.getByLabel("Pipeline: a file").fill("nowhere.yaml");
      await page.getByRole("button", { name: "Start the run" }).click();
      // What is wrong with it is said where it was typed, and nothing was created.
      await page.getByRole("alert").getByText("nowhere.yaml").first().waitFor();
      expect(await dashboard.control.runs()).toEqual([]);

      await page.getByLabel("Pipeline: a file").fill("release.yaml");
      await page.getByRole("button", { name: "Start the run" }).click();
      await page.waitForURL(/\/runs\/.+/);
      await page.getByRole("link", { name: "Overview" }).click();
      const glance = page.getByRole("region", { name: "At a glance" });
      await glance.getByRole("link", { name: /^waits for people 2 wait for you/ }).waitFor();
      await page.getByRole("row", { name: /release .* 2 wait for you/ }).waitFor();
      expect(anna.complaints.filter((c) => !c.includes("/api/v1/runs"))).toEqual([]);
      anna.complaints.length = 0;
    },
  );

  test("what waits is answered by keyboard, what unblocks most first, and the run goes on at once", { timeout: LONG }, async () => {
    const { page } = anna;
    const [run] = await dashboard.control.runs();
    // Both unblock two steps; the question came first. On its way through g no letter does anything else.
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
    await page.getByRole("button", { name: /Which channel/ }).waitFor();
    const order = await page
      .getByRole("list", { name: /What waits/ })
      .getByRole("listitem")
      .locator("button[aria-expanded]")
      .allInnerTexts();
    expect(order.map((text) => /Which channel|Release version/.exec(text)?.[0]).sort()).toEqual(["Release version", "Which channel"]);

    const choose = async (title: RegExp): Promise<void> => {
      const item = page.getByRole("button", { name: title });
      for (let i = 0; i < 3 && (await item.getAttribute("aria-expanded")) !== "true"; i++) await page.keyboard.press(i === 0 ? "j" : "k");
      expect(await item.getAttribute("aria-expanded")).toBe("true");
    };
    await choose(/Which channel/);
    await page.keyboard.press("2");
    await page.getByText("recorded: beta").waitFor();
    await choose(/Release version/);
    // What an agent or a pipeline says is shown, and never carried out.
    await page.getByText("<img src=x onerror=alert(1)>").waitFor();
    await page.getByRole("link", { name: "notes: see its diff" }).waitFor();
    await page.getByText("NOTES", { exact: true }).waitFor();
    // The page has gone on to it by itself: keys rest for half a second, so that a second press of the last one answers nothing.
    await page.waitForTimeout(600);
    await page.keyboard.press("a");
    await page.getByText("Approved. Recorded in the journal.").waitFor();
    await page.getByRole("link", { name: /Inbox/ }).click();

    await page.keyboard.press("g");
    await page.keyboard.press("o");
    await page.getByRole("row", { name: /succeeded release/ }).waitFor({ timeout: 120_000 });
    const answers = (await dashboard.control.events(run!.runId)).flatMap(({ actor, event }) =>
      event.type === "InboxAnswered" ? [{ actor, verdict: event.data.verdict, text: event.data.text }] : [],
    );
    expect(answers).toEqual([
      { actor: "web:anna", verdict: "answer", text: "beta" },
      { actor: "web:anna", verdict: "approve", text: undefined },
    ]);
    expect(anna.complaints).toEqual([]);
  });

  test("an answer that was not recorded is never said to be: the server was away, and came back", { timeout: LONG }, async () => {
    const { page } = anna;
    await dashboard.control.start("test:x", { project: dashboard.scene.project, pipeline: { file: "waits.yaml" } });
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.getByRole("button", { name: /Shall it go on/ }).waitFor();
    await dashboard.stopServer();
    await page.keyboard.press("a");
    await page.getByText("The Stepfall server does not answer.").first().waitFor();
    await page.getByText("what is shown may be old").waitFor();
    expect(await page.getByText("Recorded in the journal").count()).toBe(0);
    expect(await dashboard.control.inbox()).toHaveLength(1);
    await dashboard.startServer();
    await page.getByText("what is shown may be old").waitFor({ state: "detached" });
    await page.keyboard.press("w");
    await page.getByLabel(/What shall be done differently/).fill("not yet");
    // An approval that nothing was done for cannot be reworked, which the server says; it is still open then.
    await page.getByRole("button", { name: "Send back for rework" }).click();
    await page.getByRole("alert").waitFor();
    expect(await dashboard.control.inbox()).toHaveLength(1);
    anna.complaints.length = 0;
  });

  test("a viewer sees all of it and has no button for what they may not do", { timeout: LONG }, async () => {
    await using eve = await dashboard.logIn(browser, { role: "viewer" });
    await eve.page.getByRole("row", { name: /waits .* 1 waits for you/ }).waitFor();
    expect(await eve.page.getByRole("button", { name: /Start work|Cancel/ }).count()).toBe(0);
    await eve.page.getByRole("link", { name: /Inbox/ }).click();
    await eve.page.getByText("You are logged in as viewer").waitFor();
    await eve.page.keyboard.press("a");
    expect(await dashboard.control.inbox()).toHaveLength(1);
    await eve.page.keyboard.press("j");
    await eve.page.keyboard.press("Enter");
    await eve.page.waitForURL(/\/runs\/.+step=ask/);
    expect(eve.complaints).toEqual([]);
  });

  test("a run is cancelled from the overview, with why, and every open tab shows it", { timeout: LONG }, async () => {
    const { page } = anna;
    const other = await anna.newTab("/");
    await other.getByRole("row", { name: /waits .* 1 waits for you/ }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("o");
    await page.getByRole("button", { name: "Cancel waits" }).click();
    await page.getByLabel(/^Why/).fill("not today");
    await page.getByRole("button", { name: "Cancel the run" }).click();
    await page.getByRole("row", { name: /cancelled waits/ }).waitFor();
    await other.getByRole("row", { name: /cancelled waits/ }).waitFor();
    await other.close();
    const [run] = await dashboard.control.runs();
    const { cancel } = await dashboard.control.state(run!.runId);
    expect(cancel).toEqual({ reason: "not today" });
    expect(anna.complaints).toEqual([]);
  });

  test("a gate's time is that of one verdict, and a rate that nobody has measured is not shown as one", { timeout: LONG }, async () => {
    for (let i = 0; i < 2; i++) {
      const { runId } = await dashboard.control.start("test:x", { project: dashboard.scene.project, pipeline: { file: "checked.yaml" } });
      await dashboard.control.wait(runId, { timeoutMs: 60_000 });
    }
    const { gates, together } = await dashboard.control.gates();
    const slow = gates.find(({ name }) => name === "slow");
    expect([slow?.verdicts, together.isAssumed]).toEqual([{ passed: 2, refused: 0, errored: 0 }, true]);
    const { page } = anna;
    await anna.goto("/cost");
    await page.getByLabel("Since").selectOption("today");
    const row = page.getByRole("region", { name: "Gates" }).getByRole("row", { name: /^slow command/ });
    const each = row.getByTitle(/ for 2$/);
    const shown = /^([\d.]+) (ms|s)$/.exec(await each.innerText());
    const shownMs = Number(shown?.[1]) * (shown?.[2] === "s" ? 1_000 : 1);
    expect(Math.abs(shownMs - slow!.durationMs / 2)).toBeLessThanOrEqual(51);
    await page.getByText("is not known yet: too few results are known, or taken, to be right (0) or wrong (0).").waitFor();
    await page.getByText(/Until then routing assumes that \d+ % of wrong results are accepted/).waitFor();
    expect(anna.complaints).toEqual([]);
  });

  test(
    "every page, in light and dark, wide and on a phone, has nothing that axe calls serious, asks nobody else, and complains of nothing",
    { timeout: LONG },
    async () => {
      await dashboard.control.start("test:x", { project: dashboard.scene.project, pipeline: { file: "fails.yaml" } });
      await dashboard.control.start("test:x", { project: dashboard.scene.project, pipeline: { file: "release.yaml" } });
      await using visitor = await dashboard.logIn(browser);
      const { page } = visitor;
      const found: string[] = [];
      for (const name of ["Overview", "Inbox", "Agents", "Cost", "Settings"]) {
        await page.setViewportSize({ width: 1280, height: 800 });
        await page.emulateMedia({ colorScheme: "light" });
        await page.getByRole("navigation").getByRole("link", { name }).click();
        await page.getByRole("heading", { level: 1, name }).waitFor();
        await page
          .getByRole("status")
          .filter({ hasText: /^Loading/ })
          .waitFor({ state: "detached" });
        for (const [how, width, colorScheme, rules] of [
          ["wide", 1280, "light", undefined],
          // What another width and other colours can change.
          ["phone", 390, "dark", ["color-contrast", "scrollable-region-focusable", "link-in-text-block", "target-size"]],
        ] as const) {
          await page.setViewportSize({ width, height: 800 });
          await page.emulateMedia({ colorScheme });
          // Until it is drawn so.
          await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
          found.push(...(await visitor.serious(rules ? { rules } : {})).map((line) => `${name} ${how} ${colorScheme}: ${line}`));
          const tooWide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
          if (tooWide !== 0 && (name === "Overview" || name === "Inbox")) found.push(`${name} ${how}: ${String(tooWide)} px too wide`);
        }
      }
      expect(found).toEqual([]);
      expect(visitor.complaints).toEqual([]);
    },
  );
});
