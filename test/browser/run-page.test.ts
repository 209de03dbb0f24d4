import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { madeUpRun } from "../../bench/dashboard-journal.ts";
import { openStoreIn, Player } from "../../bench/dashboard-store.ts";
import { Dashboard, lacksBrowser, launchBrowser, type Visitor } from "./browser.testkit.ts";

const turn = (text: string, content?: string): object => ({
  text,
  ...(content === undefined ? {} : { toolCalls: [{ name: "write_file", arguments: { path: "greeting.txt", content } }] }),
});

/** The first answer is no good, and its gate says so; the second, one tier up, is. */
const files = {
  "stepfall.yaml": `slots: 4
agents:
  cheap: { executor: chat, model: scripted/small, tier: free }
  dear: { executor: chat, model: scripted/large, tier: premium }
default-agent: cheap
providers:
  scripted:
    script: model-script.json
    prices: { small: { input: 0.5, output: 2 }, large: { input: 5, output: 20 } }
`,
  "model-script.json": JSON.stringify({
    models: ["small", "large"],
    rules: [
      {
        when: { lastUser: "The attempt before this one was refused" },
        turns: [turn("It says what is missing.", "hello world\n"), turn("Now it greets.")],
      },
      { when: { lastUser: "Greet the world" }, turns: [turn("I write it.", "goodbye\n"), turn("It is written.")] },
    ],
  }),
  "ship.yaml": `name: ship
steps:
  greet:
    prompt: Greet the world in greeting.txt.
    outputs: [greeting.txt]
    gates: ["grep -q hello greeting.txt"]
    escalate: { entry: free, ceiling: premium, attempts: 1 }
  talk:
    command: |
      echo "<img src=x onerror=alert(1)> is only text"
      echo "long $(head -c 30000 /dev/zero | tr '\\0' x)"
      for i in $(seq 1 300); do echo "line $i"; done
      until test -e "$TALK_UNTIL"; do sleep 0.1; done
      echo the last word
    readonly: true
    env: { TALK_UNTIL: "\${{ inputs.until }}" }
  parts: { foreach: [one, two, three], command: "echo \${{ item }}", readonly: true }
  broken: { command: "echo the linter says no >&2; exit 3", readonly: true, may-fail: true }
  go: { needs: [greet, parts], approve: { title: "Ship the greeting?", detail: ${JSON.stringify("A line of what is to be known.\n".repeat(60))} } }
  publish: { needs: [go, talk], command: "cat greeting.txt", readonly: true }
inputs: { until: { type: string } }
`,
};

const LONG = 240_000;

describe.skipIf(lacksBrowser())("the page of a run", () => {
  let browser: Browser;
  let dashboard: Dashboard;
  let anna: Visitor;
  let runId: string;
  let until: string;
  beforeAll(async () => {
    [browser, dashboard] = await Promise.all([launchBrowser(), Dashboard.open(files)]);
    anna = await dashboard.logIn(browser, { width: 1440 });
    until = join(dashboard.scene.folder, "said-enough");
    ({ runId } = await dashboard.control.start("test:x", {
      project: dashboard.scene.project,
      pipeline: { file: "ship.yaml" },
      inputs: { until },
    }));
    await anna.goto(`/runs/${runId}`);
  }, LONG);
  afterAll(async () => {
    if (until !== undefined && !existsSync(until)) writeFileSync(until, "");
    await anna?.[Symbol.asyncDispose]();
    await browser?.close();
    await dashboard?.[Symbol.asyncDispose]();
  }, LONG);

  const step = (name: string): Locator => anna.page.getByRole("navigation", { name: "Steps" }).getByRole("button", { name });
  const panel = (name: string): Locator => anna.page.getByRole("region", { name: `Step ${name}`, exact: true });
  /** For the documentation; only where somebody asks for them. */
  const picture = async (name: string): Promise<void> => {
    const folder = process.env["STEPFALL_SCREENSHOTS"];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await anna.page.screenshot({ path: join(folder, `${name}.png`) });
  };

  test("a run is seen live: what failed comes first in the list, and says why", { timeout: LONG }, async () => {
    const { page } = anna;
    await step("failed broken").waitFor();
    await step("waits for people go").waitFor({ timeout: 120_000 });
    const first = page.getByRole("list", { name: "Steps, failed ones first" }).getByRole("button").first();
    expect(await first.innerText()).toContain("broken");
    // Chosen by itself, since nobody has chosen another.
    await panel("broken").getByText("Attempt 1 failed").waitFor();
    await panel("broken")
      .getByText(/exit(s|ed)?\b.*3/)
      .first()
      .waitFor();
    await picture("run-failed-step");
  });

  test("an attempt tells what its gate saw, and why the next one went a tier up", { timeout: LONG }, async () => {
    await step("completed greet").click();
    const greet = panel("greet");
    const second = greet.getByRole("article", { name: "Attempt 2" });
    await second.getByText("from free, whose tries were no good").waitFor();
    await second.getByText("attempt 1 was refused by").waitFor();
    const refused = greet.getByRole("article", { name: "Attempt 1" });
    await refused
      .getByText(/exits 1/)
      .first()
      .waitFor();
    // Only one attempt's, when only that is asked for.
    await greet.getByLabel("Show attempt").selectOption({ label: "attempt 1: rejected" });
    await second.waitFor({ state: "detached" });
    await anna.page.keyboard.press("d");
    await greet.getByText("goodbye").waitFor();
    await greet.getByLabel("Show attempt").selectOption({ label: "all attempts" });
    await greet.getByText("hello world").waitFor();
    await picture("run-diff");
    await greet.getByRole("tab", { name: "Transcript" }).click();
    await greet.getByText("It says what is missing.").waitFor();
    await greet.getByRole("tab", { name: "Attempts" }).click();
  });

  test(
    "a log is read from its beginning, searched, and followed to its end; what it says is never carried out",
    { timeout: LONG },
    async () => {
      const { page } = anna;
      await step("running talk").click();
      await page.keyboard.press("l");
      const talk = panel("talk");
      await talk.getByText("line 300", { exact: true }).waitFor();
      await talk.getByRole("searchbox", { name: "Search the log" }).fill("onerror");
      await talk.getByText("<img src=x onerror=alert(1)> is only text").waitFor();
      await talk.getByText("1 of 1").waitFor();
      // A line of great length does not hold the page up, and is whole for whoever asks.
      await talk.getByRole("searchbox", { name: "Search the log" }).fill("long x");
      await talk.getByRole("button", { name: "10,005 more characters" }).click();
      await talk.getByRole("searchbox", { name: "Search the log" }).fill("");
      await talk.getByRole("button", { name: /Follow/ }).click();
      writeFileSync(until, "");
      await talk.getByText("the last word").waitFor();
      await picture("run-log");
      expect(await page.locator("img[onerror]").count()).toBe(0);
    },
  );

  test("a group is one node with counts, and unfolds", { timeout: LONG }, async () => {
    const graph = anna.page.getByRole("region", { name: "Graph" });
    await graph.getByText("3 completed").waitFor();
    expect(await graph.getByText("publish", { exact: true }).count()).toBe(1);
    const before = await graph.locator(".react-flow__node").count();
    await graph.getByRole("button", { name: "Unfold parts" }).click();
    await expect.poll(() => graph.locator(".react-flow__node").count(), { timeout: 30_000 }).toBe(before + 3);
    await picture("run-graph");
    await graph.getByRole("button", { name: "Fold parts" }).click();
  });

  test("the whole page slides back to how it was at an event, and comes back", { timeout: LONG }, async () => {
    const { page } = anna;
    await step("completed greet").click();
    await panel("greet").getByRole("tab", { name: "Attempts" }).click();
    const events = await dashboard.control.events(runId, { limit: 1000 });
    const refused = events.find(({ event }) => event.type === "AttemptRejected")!.version;
    const slider = page.getByRole("slider", { name: "Event of the run" });
    await slider.fill(String(refused));
    await page.getByText("As it was:").waitFor();
    await panel("greet").getByRole("article", { name: "Attempt 1" }).waitFor();
    expect(await panel("greet").getByRole("article", { name: "Attempt 2" }).count()).toBe(0);
    await step("greet").filter({ hasNotText: "completed" }).waitFor();
    await page.getByText("Actions are for the run as it is now.").waitFor();
    // Nothing was asked yet, and what the second attempt wrote is not there.
    expect(await step("waits for people go").count()).toBe(0);
    await panel("greet").getByRole("tab", { name: "Diff" }).click();
    await panel("greet").getByText("goodbye").waitFor();
    expect(await panel("greet").getByText("hello world").count()).toBe(0);
    await panel("greet").getByRole("tab", { name: "Attempts" }).click();
    // A key is one event.
    await page.keyboard.press("[");
    await expect.poll(() => slider.getAttribute("aria-valuetext")).toMatch(new RegExp(`^event ${refused - 1} of`));
    await picture("run-slid-back");
    await page.keyboard.press("Escape");
    await page.getByText("As it was:").waitFor({ state: "detached" });
    await panel("greet").getByRole("article", { name: "Attempt 2" }).waitFor();
  });

  test("what waits for people is answered in place, and a word on the result is put on record", { timeout: LONG }, async () => {
    const { page } = anna;
    await anna.goto(`/runs/${runId}`);
    const bar = page.getByRole("region", { name: "Waits for you" });
    const approve = bar.getByRole("button", { name: /^Approve/ });
    // Whatever step is chosen and however much is to be read, what one answers with is in sight.
    const inSight = async (): Promise<boolean> => approve.boundingBox().then((box) => box !== null && box.y + box.height < 300);
    await step("completed greet").click();
    expect(await inSight()).toBe(true);
    await bar.getByRole("button", { name: "Look at it" }).click();
    await panel("go").getByText("It is answered at the top of the page.").waitFor();
    expect(await inSight()).toBe(true);
    await approve.click();
    await step("completed publish").waitFor({ timeout: 120_000 });
    await panel("go").getByText("anna: approve").waitFor();
    await step("completed greet").click();
    const second = panel("greet").getByRole("article", { name: "Attempt 2" });
    await second.getByRole("button", { name: "wrong" }).click();
    await second.getByLabel(/It was wrong, because/).fill("it greets nobody by name");
    await second.getByRole("button", { name: "Record" }).click();
    await second.getByText("the result was wrong (it greets nobody by name)").waitFor();
    const told = (await dashboard.control.events(runId, { limit: 1000 })).flatMap(({ event }) =>
      event.type === "FeedbackGiven" || event.type === "InboxAnswered" ? [event.data.verdict] : [],
    );
    expect(told).toEqual(["approve", "wrong"]);
    await page.getByRole("heading", { name: /succeeded ship/ }).waitFor();
  });

  test("the timeline has a row for each step that ran, and what waited for people apart", { timeout: LONG }, async () => {
    const { page } = anna;
    await anna.goto(`/runs/${runId}`);
    await page.getByRole("button", { name: "timeline" }).click();
    const timeline = page.getByRole("region", { name: "Timeline" });
    await timeline.getByRole("button", { name: /greet#1 ran .*, rejected/ }).waitFor();
    await timeline.getByRole("button", { name: /^waited for people/ }).waitFor();
    await timeline.getByRole("button", { name: "Zoom in" }).click();
    await timeline.getByRole("button", { name: "all" }).click();
    await picture("run-timeline");
  });

  test("a long run opens as it is now and not half read; where it could not all be read, that is said", { timeout: LONG }, async () => {
    const { page } = anna;
    const long = "01longlonglonglonglonglong";
    const made = { runId: long, project: dashboard.scene.project, steps: 400, attemptsPerStep: 1.5, slots: 6, reports: 1 };
    const store = await openStoreIn(dashboard.scene.home);
    await new Player(store, madeUpRun({ ...made, startedAt: Date.now() - 100_000, everyMs: 20, seed: 7 })).write(10_000);
    await store.close();
    const rest = /\/events\?.*after=2000\b/;
    await page.route(rest, (route) => route.fulfill({ status: 500, body: "" }));
    await anna.goto(`/runs/${long}`);
    await page.getByText("Only the first 2,000 events of this run could be read").waitFor();
    await page.unroute(rest);
    anna.complaints.length = 0;
    // The rest comes when the beginning has long been there.
    await page.route(rest, async (route) => sleep(400).then(() => route.continue()));
    await page.reload();
    await page.getByRole("heading", { name: /succeeded made up/ }).waitFor();
    await page.unroute(rest);
    // The first of the list is chosen: of a run that were half read it would be one that ran then.
    expect(
      await page.getByRole("list", { name: "Steps, failed ones first" }).getByRole("button").first().getAttribute("aria-current"),
    ).toBe("true");
    expect(await page.getByText("Only the first").count()).toBe(0);
  });

  test("a viewer sees all of it, and has no button for what they may not do", { timeout: LONG }, async () => {
    await using eve = await dashboard.logIn(browser, { role: "viewer" });
    await eve.goto(`/runs/${runId}?step=greet`);
    await eve.page.getByRole("article", { name: "Attempt 2" }).waitFor();
    expect(await eve.page.getByRole("button", { name: /^(right|wrong|Cancel|Resume)$/ }).count()).toBe(0);
    expect(eve.complaints).toEqual([]);
  });

  test(
    "nothing of it is a serious matter for axe, light or dark, on a wide screen or a phone, and nothing was complained of",
    { timeout: LONG },
    async () => {
      const { page } = anna;
      const found: string[] = [];
      await anna.goto(`/runs/${runId}?step=greet`);
      for (const [width, colorScheme] of [
        [1440, "light"],
        [390, "dark"],
      ] as const) {
        await page.setViewportSize({ width, height: 844 });
        await page.emulateMedia({ colorScheme });
        for (const tab of ["Attempts", "Log", "Diff", "Transcript", "Prompt"]) {
          await page.getByRole("tab", { name: new RegExp(`^${tab}`) }).click();
          found.push(...(await anna.serious()).map((line) => `${width} ${colorScheme} ${tab}: ${line}`));
        }
        await page.getByRole("tab", { name: "Attempts" }).click();
        await picture(`run-${width}-${colorScheme}`);
      }
      expect(found).toEqual([]);
      expect(anna.complaints).toEqual([]);
    },
  );
});
