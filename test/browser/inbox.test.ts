import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Dashboard, lacksBrowser, launchBrowser, type Visitor } from "./browser.testkit.ts";

/** What somebody is about to answer must not become something else under their hands. */
const files = {
  // Unblocks nothing.
  "small.yaml": `name: small
steps:
  ask: { approve: "Shall the small one go on?" }
`,
  // Unblocks two steps: it comes before the small one.
  "large.yaml": `name: large
steps:
  ask: { approve: "Shall the \\u202Eegral one go on?" }
  one: { needs: ask, command: "true", readonly: true }
  two: { needs: one, command: "true", readonly: true }
`,
  "rework.yaml": `name: rework
steps:
  notes: { command: "echo v2 > NOTES", outputs: [NOTES] }
  go: { needs: notes, approve: { title: "Take the notes?" } }
`,
};
const LONG = 240_000;

/** In the page, since a press from here takes as long as this machine is busy: `a`, as soon as the page has gone on to the next item. */
const PRESS_ONCE_NEXT = `new Promise((pressed) => {
  const press = () => pressed(window.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true })));
  const look = () => {
    const open = document.querySelector("button[aria-expanded=true]");
    requestAnimationFrame(open?.innerText.includes("egral one") ? () => requestAnimationFrame(press) : look);
  };
  look();
})`;

describe.skipIf(lacksBrowser())("the inbox, while others answer too", () => {
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
  beforeEach(async () => {
    for (const { runId, endedAt } of await dashboard.control.runs())
      if (endedAt === undefined) await dashboard.control.cancel("test:x", runId);
  }, LONG);

  const start = async (file: string): Promise<string> => {
    const { runId } = await dashboard.control.start("test:x", { project: dashboard.scene.project, pipeline: { file } });
    await dashboard.control.wait(runId, { timeoutMs: 60_000 });
    return runId;
  };
  const item = (title: RegExp): Locator => anna.page.getByRole("button", { name: title });
  const verdictsOf = async (runId: string): Promise<string[]> =>
    (await dashboard.control.events(runId)).flatMap(({ event }) => (event.type === "InboxAnswered" ? [event.data.verdict] : []));

  test("something that unblocks more comes while one is read: the key still answers what was read", { timeout: LONG }, async () => {
    const small = await start("small.yaml");
    await anna.goto("/inbox");
    await item(/small one/).waitFor();
    const large = await start("large.yaml");
    await item(/one go on/)
      .nth(1)
      .waitFor();
    expect(await item(/small one/).getAttribute("aria-expanded")).toBe("true");
    // A text that is turned around is shown for what it is.
    await item(/the \[U\+202E\]egral one/).waitFor();
    // The page goes on to the next by itself. A second press, of somebody who saw nothing happen yet, is not meant for that one.
    const pressedAgain = anna.page.evaluate(PRESS_ONCE_NEXT);
    await anna.page.keyboard.press("a");
    await pressedAgain;
    await anna.page.waitForTimeout(1_000);
    expect([await verdictsOf(small), await verdictsOf(large)]).toEqual([["approve"], []]);
    await anna.page.keyboard.press("a");
    await expect.poll(() => verdictsOf(large), { timeout: 30_000 }).toEqual(["approve"]);
    expect(anna.complaints).toEqual([]);
  });

  test(
    "what is read is answered elsewhere: it says so where it stood, and the key does not fall on the next one",
    { timeout: LONG },
    async () => {
      const large = await start("large.yaml");
      const small = await start("small.yaml");
      await anna.goto("/inbox");
      // The second: the first would become the chosen one, were the chosen one forgotten.
      await item(/small one/).click();
      const [entry] = (await dashboard.control.inbox()).filter(({ runId }) => runId === small);
      await dashboard.control.answer("cli:ben", entry!.item, { verdict: "reject" });
      await anna.page.getByText("It waits no more").waitFor();
      await anna.page.keyboard.press("a");
      await anna.page.waitForTimeout(500);
      expect(await verdictsOf(large)).toEqual([]);
      await anna.page.keyboard.press("k");
      await expect.poll(() => item(/egral one/).getAttribute("aria-expanded")).toBe("true");
      expect(await item(/small one/).count()).toBe(0);
      expect(anna.complaints).toEqual([]);
    },
  );

  test("whoever has written why and gone on to the button stays there, whatever else happens meanwhile", { timeout: LONG }, async () => {
    await start("rework.yaml");
    await anna.goto("/inbox");
    const { page } = anna;
    await item(/Take the notes/).click();
    // Until it is known who is here, keys do nothing.
    await expect.poll(() => page.getByRole("button", { name: /^Ask for rework/ }).isEnabled(), { timeout: 30_000 }).toBe(true);
    await page.keyboard.press("w");
    await page.getByLabel(/What shall be done differently/).fill("name the authors");
    await page.keyboard.press("Tab");
    const isFocused = (): Promise<boolean> => page.evaluate("document.activeElement?.textContent === 'Send back for rework'");
    await expect.poll(isFocused).toBe(true);
    await start("small.yaml");
    await item(/small one/).waitFor();
    await page.waitForTimeout(300);
    expect(await isFocused()).toBe(true);
    expect(await page.getByLabel(/What shall be done differently/).inputValue()).toBe("name the authors");
    expect(anna.complaints).toEqual([]);
  });

  test("a server that was updated while the page was open: the page says so until it is loaded anew", { timeout: LONG }, async () => {
    const { page } = anna;
    await anna.goto("/inbox");
    await page.getByText("live", { exact: true }).waitFor();
    await dashboard.stopServer();
    await page.getByText("what is shown may be old").waitFor();
    await dashboard.startServer("0.1.0-newer");
    const note = page.getByText("The server is version 0.1.0-newer now");
    await note.waitFor();
    // Everything has been read again by then, also what tells the server's version.
    await page.getByText("v0.1.0-newer").waitFor();
    await page.waitForTimeout(300);
    expect(await note.count()).toBe(1);
    await page.getByRole("button", { name: "Reload" }).click();
    await page.getByText("live", { exact: true }).waitFor();
    expect(await note.count()).toBe(0);
    anna.complaints.length = 0;
  });
});
