import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Browser } from "playwright-core";
import { Visitor } from "../browser/browser.testkit.ts";

/** Somebody who has only been told `npx stepfall up`, and clicks what they see. */

const NPX = ["--no-install", "stepfall"];

/** `npx stepfall up` in a folder: its process, and the link that it prints. */
export async function upByNpx(
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ child: ChildProcess; link: string; ended: Promise<unknown> }> {
  const child = spawn("npx", [...NPX, "up", "--port", "0"], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = once(child, "exit");
  let said = "";
  const link = await new Promise<string>((resolve, reject) => {
    const read = (data: Buffer): void => {
      said += data.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+\/login\S+/.exec(said)?.[0];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void ended.then(() => reject(new Error(`it ended:\n${said}`)));
  });
  return { child, link, ended };
}

/** From the first page to an answered approval: what was on the page at each place, and what the browser complained of. */
export async function answerSample(browser: Browser, link: string): Promise<{ complaints: string[]; copied: string; merge: string }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await using visitor = new Visitor(context, page, new URL(link).origin);
  await page.goto(link);
  await page.getByText("No run yet: your first one").waitFor();
  const copied =
    (await page
      .getByRole("button", { name: /^Copy the command/ })
      .first()
      .getAttribute("aria-label")) ?? "";
  await page.getByRole("button", { name: "Run the sample" }).click();
  await page.getByText("Is this how the cart's total should be mended?").first().waitFor({ timeout: 120_000 });
  await page.getByRole("button", { name: /^Approve/ }).click();
  await page.getByRole("heading", { name: /succeeded fix-and-approve/ }).waitFor({ timeout: 120_000 });
  const merge =
    (await page
      .getByRole("button", { name: /^Merge/ })
      .first()
      .textContent()) ?? "";
  return { complaints: [...visitor.complaints], copied, merge };
}
