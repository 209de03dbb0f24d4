import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext, Page } from "playwright-core";

/** Frames and memory of pages in a real Chromium, seen from inside the page and over the DevTools protocol. */

// What runs in the page is text here: this project's types know no browser.

/** Milliseconds between one frame and the next, for so long. */
export const frameTimes = (page: Page, ms: number): Promise<number[]> =>
  page.evaluate<number[]>(`new Promise((resolve) => {
    const times = [];
    const started = performance.now();
    let before = started;
    const frame = (now) => {
      times.push(now - before);
      before = now;
      if (now - started < ${ms}) requestAnimationFrame(frame);
      else resolve(times.slice(1));
    };
    requestAnimationFrame(frame);
  })`);

export const perSecond = (times: readonly number[]): number => (1000 * times.length) / times.reduce((sum, t) => sum + t, 0);

/** Processor time of the page's main thread while something goes on, in milliseconds: unlike frames it does not tell of what else the machine does. */
export async function mainThreadMs<T>(page: Page, during: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const cdp = await page.context().newCDPSession(page);
  try {
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    const spent = async (): Promise<number> =>
      1000 * ((await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration")?.value ?? Number.NaN);
    const before = await spent();
    const result = await during();
    return { ms: (await spent()) - before, result };
  } finally {
    await cdp.detach();
  }
}

/** From the navigation to the first text or picture of the app, in a tab of its own that has nothing of it yet. */
export async function firstPaint(context: BrowserContext, url: string): Promise<number> {
  const page = await context.newPage();
  try {
    const cdp = await context.newCDPSession(page);
    await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
    await page.goto(url, { waitUntil: "load" });
    return await page.evaluate<number>(`new Promise((resolve) => {
      new PerformanceObserver((list, observer) => {
        const [paint] = list.getEntriesByName("first-contentful-paint");
        if (!paint) return;
        observer.disconnect();
        resolve(paint.startTime);
      }).observe({ type: "paint", buffered: true });
    })`);
  } finally {
    await page.close();
  }
}

/** Bytes of the page's heap that are in use once everything that can go has gone. */
export async function heapBytes(page: Page): Promise<number> {
  const cdp = await page.context().newCDPSession(page);
  try {
    for (let i = 0; i < 3; i++) await cdp.send("HeapProfiler.collectGarbage");
    return (await cdp.send("Runtime.getHeapUsage")).usedSize;
  } finally {
    await cdp.detach();
  }
}

const SLIDER = `document.querySelector('input[type="range"][aria-label="Event of the run"]')`;

/** Until the page has the run's events up to that version, by its own words. */
export async function untilShown(page: Page, version: number, timeoutMs: number): Promise<void> {
  for (const end = performance.now() + timeoutMs; ; await sleep(100)) {
    // Asked from here: a script that waited in the page would be refused by its policy.
    const shown = await page.evaluate<number>(`Number(${SLIDER}?.getAttribute("max") ?? 0)`);
    if (shown >= version) return;
    if (performance.now() > end) throw new Error(`the page shows event ${shown}, and not ${version}`);
  }
}

/** From the move of the slider to the frame that shows the page as it was then, for each of these versions. */
export const seekTimes = (page: Page, versions: readonly number[]): Promise<number[]> =>
  page.evaluate<number[]>(`(async () => {
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    const times = [];
    for (const version of ${JSON.stringify(versions)}) {
      const from = performance.now();
      set.call(${SLIDER}, String(version));
      ${SLIDER}.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      times.push(performance.now() - from);
    }
    return times;
  })()`);
