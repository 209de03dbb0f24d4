import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext, Page } from "playwright-core";
import { runStream } from "../src/domain/index.ts";
import { thisHolder } from "../src/setup/identity.ts";
import type { Store } from "../src/store/index.ts";
import { buildDashboard, chromiumPath, launchBrowser } from "../test/browser/browser.testkit.ts";
import { firstPaint, frameTimes, heapBytes, mainThreadMs, perSecond, seekTimes, untilShown } from "./dashboard-browser.ts";
import { madeUpRun } from "./dashboard-journal.ts";
import { readStream, Server } from "./dashboard-server.ts";
import { openStoreIn, Player, printLines } from "./dashboard-store.ts";
import { median, options, percentile, report } from "./report.ts";

/**
 * How the dashboard bears large and busy runs: the real server (`stepfall up`, a process of its own), the real dashboard in a real Chromium, and a
 * made-up but valid journal that is played into the real store by this process at 50 events a second.
 *
 * Frames are counted by requestAnimationFrame in the page, with all nodes in sight. The limit of the same run is `fps_idle`: the same page while
 * nothing happens. Server, browser, store and this process share the machine; Chromium draws without a graphics card. Where other things run there too,
 * frames tell of them as well; `cpu_ms_per_s_*`, what the page's main thread really computed for each second, does not.
 */
const SECONDS = 10;
const RATE = 50;
const LINES = 200_000;
const EVENTS = 100_000;
const LONG = 600_000;

const say = (text: string): void => void (options().json || process.stderr.write(`${text}\n`));
const home = mkdtempSync(join(tmpdir(), "stepfall-bench-dashboard-"));
const metrics: Record<string, number> = {};
let runs = 0;

/** A run that this process is said to drive, so that the server does not have it taken up. */
async function beginRun(store: Store, steps: number, more: { attemptsPerStep?: number; reports?: number; first: number }): Promise<Player> {
  const runId = `01bench${String(++runs).padStart(19, "0")}`;
  const { attemptsPerStep = 1.5, reports = 1, first } = more;
  const shape = { runId, project: home, steps, attemptsPerStep, reports, slots: 14, everyMs: 20, seed: runs };
  const player = new Player(store, madeUpRun({ ...shape, startedAt: Date.now() - first * 20 }));
  await store.acquire({ key: runStream(runId), holder: thisHolder(), now: Date.now(), until: Date.now() + 86_400_000 });
  await player.write(first);
  return player;
}

async function openRun(context: BrowserContext, url: string, player: Player, query = ""): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(LONG);
  await page.goto(`${url}/runs/${player.state.runId}${query}`);
  await page.locator(".react-flow__node").first().waitFor();
  await untilShown(page, player.version, LONG);
  return page;
}

/** Frame times while the run is played, with all of its graph in sight. */
async function whilePlayed(page: Page, player: Player): Promise<{ times: number[]; written: number; cpuMs: number }> {
  await page.getByRole("button", { name: "Show all of the graph" }).click();
  await sleep(1000);
  const stop = new AbortController();
  const playing = player.play(RATE, stop.signal);
  const { ms: cpuMs, result: times } = await mainThreadMs(page, () => frameTimes(page, SECONDS * 1000));
  stop.abort();
  const written = await playing;
  await untilShown(page, player.version, LONG);
  return { times, written, cpuMs };
}

async function graphs(context: BrowserContext, url: string, store: Store): Promise<void> {
  for (const steps of [200, 1000]) {
    say(`a run of ${steps} steps at ${RATE} events/s`);
    const player = await beginRun(store, steps, { first: 200 });
    const page = await openRun(context, url, player);
    if (steps === 200) metrics["fps_idle"] = perSecond(await frameTimes(page, 3000));
    const { times, written, cpuMs } = await whilePlayed(page, player);
    metrics[`events_per_s_${steps}`] = written / SECONDS;
    metrics[`fps_${steps}`] = perSecond(times);
    metrics[`p95_frame_ms_${steps}`] = percentile(times, 95);
    metrics[`cpu_ms_per_s_${steps}`] = cpuMs / SECONDS;
    await page.close();
  }
}

async function paints(context: BrowserContext, url: string): Promise<void> {
  say("first paint");
  const times: number[] = [];
  for (let i = 0; i < 7; i++) times.push(await firstPaint(context, `${url}/`));
  metrics["first_paint_ms"] = median(times.slice(1));
}

async function logs(context: BrowserContext, url: string, store: Store): Promise<void> {
  say(`a log of ${LINES.toLocaleString("en")} lines`);
  const player = await beginRun(store, 200, { first: 60 });
  const step = [...player.state.running][0];
  const attempt = step === undefined ? undefined : player.state.steps.get(step)?.attempts.at(-1)?.id;
  if (step === undefined || attempt === undefined) throw new Error("nothing runs that could print");
  for (let from = 1; from <= LINES; from += 20_000) await printLines(home, attempt, from, 20_000);
  const page = await openRun(context, url, player, `?step=${step}`);
  const opened = performance.now();
  await page.getByRole("tab", { name: /^Log/ }).click();
  await page.getByText(`${LINES.toLocaleString("en")} lines`).waitFor();
  metrics["log_200k_read_ms"] = performance.now() - opened;
  const stop = new AbortController();
  const printing = (async () => {
    for (let seq = LINES + 1; !stop.signal.aborted; seq += 20) {
      await printLines(home, attempt, seq, 20);
      await sleep(100);
    }
  })();
  metrics["fps_log_follow"] = perSecond(await frameTimes(page, 5000));
  await page.getByRole("button", { name: /^Follow/ }).click();
  await page.getByRole("log").hover();
  const scrolled = frameTimes(page, 5000);
  for (const end = performance.now() + 5000; performance.now() < end; await sleep(16)) await page.mouse.wheel(0, -1200);
  metrics["fps_log_scroll"] = perSecond(await scrolled);
  stop.abort();
  await printing;
  await page.close();
}

async function tabs(context: BrowserContext, url: string, store: Store): Promise<void> {
  say("nine tabs");
  const player = await beginRun(store, 200, { first: 100 });
  const pages: Page[] = [];
  for (let i = 0; i < 9; i++) pages.push(await openRun(context, url, player));
  await player.play(RATE, AbortSignal.timeout(3000));
  const written = performance.now();
  const shown = await Promise.all(
    pages.map((page) =>
      untilShown(page, player.version, 120_000).then(
        () => 1,
        () => 0,
      ),
    ),
  );
  metrics["tabs_live"] = shown.reduce<number>((sum, one) => sum + one, 0);
  metrics["tabs_last_event_ms"] = performance.now() - written;
  for (const page of pages) await page.close();
}

async function heap(context: BrowserContext, url: string, store: Store): Promise<void> {
  say(`${EVENTS.toLocaleString("en")} events into one page`);
  const player = await beginRun(store, 200, { first: 1000, attemptsPerStep: 120, reports: 3 });
  const page = await openRun(context, url, player);
  const before = await heapBytes(page);
  const started = performance.now();
  for (let written = 0; written < EVENTS; written += 500) {
    if ((await player.write(Math.min(500, EVENTS - written))) === 0) throw new Error("the made-up run is too short");
    // Faster than any run, but not one burst: the stream has to carry it.
    await sleep(20);
  }
  await untilShown(page, player.version, LONG);
  metrics["heap_events_per_s"] = EVENTS / ((performance.now() - started) / 1000);
  await sleep(2000);
  metrics["heap_growth_bytes"] = (await heapBytes(page)) - before;
  metrics["seek_ms"] = median(await seekTimes(page, [50_500, 99_000, 20_999, 75_001, 10_500]));
  await page.close();
}

async function kills(context: BrowserContext, server: Server, store: Store): Promise<void> {
  say("three kills of the server");
  const player = await beginRun(store, 200, { first: 100 });
  const page = await openRun(context, server.url, player);
  const cookie = (await context.cookies(server.url)).map(({ name, value }) => `${name}=${value}`).join("; ");
  const from = (await store.readAll({ after: 0, limit: 1_000_000 })).at(-1)?.globalSeq ?? 0;
  const seen: number[] = [];
  const stop = new AbortController();
  const reading = readStream(server.url, cookie, from, seen, stop.signal);
  const playing = player.play(RATE, AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)]));
  for (let i = 0; i < 3; i++) {
    await sleep(1500);
    await server.kill();
    await sleep(500);
    await server.start();
  }
  await sleep(1500);
  const wanted = (await store.readAll({ after: from, limit: 1_000_000 })).map((e) => e.globalSeq);
  const end = performance.now() + 60_000;
  while (!seen.includes(wanted.at(-1) ?? 0) && performance.now() < end) await sleep(100);
  stop.abort();
  await Promise.all([playing, reading]);
  const got = new Set(seen);
  metrics["kills"] = 3;
  metrics["kill_events"] = wanted.length;
  metrics["events_lost"] = wanted.filter((seq) => !got.has(seq)).length;
  metrics["events_doubled"] = seen.length - got.size;
  // The page has taken them up, too: it shows no version that does not follow on all those before.
  metrics["page_caught_up"] = await untilShown(page, player.version, 120_000).then(
    () => 1,
    () => 0,
  );
  await page.close();
}

if (chromiumPath === undefined) {
  process.stderr.write("chromium is not on PATH. On Debian: apt-get install chromium\n");
  process.exit(2);
}
buildDashboard();
const store = await openStoreIn(home);
const server = new Server(home);
const browser = await launchBrowser();
try {
  await server.start();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const first = await context.newPage();
  await first.goto(server.link);
  await first.close();
  const parts: Record<string, () => Promise<void>> = {
    paint: () => paints(context, server.url),
    graphs: () => graphs(context, server.url, store),
    logs: () => logs(context, server.url, store),
    tabs: () => tabs(context, server.url, store),
    heap: () => heap(context, server.url, store),
    kills: () => kills(context, server, store),
  };
  // `npm run bench -- dashboard heap`: that part alone.
  const wanted = process.argv.slice(2).filter((word) => Object.hasOwn(parts, word));
  for (const [name, part] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await part();
  report(
    "dashboard",
    metrics,
    {
      fps_200: ">= 55",
      first_paint_ms: "< 500",
      tabs_live: "== 9",
      events_lost: "== 0",
      events_doubled: "== 0",
      page_caught_up: "== 1",
    },
    [
      "Limit in the same run: fps_idle, the same page while nothing happens. Everything shares one machine; Chromium draws without a graphics card.",
    ],
  );
} finally {
  await browser.close();
  await server.kill();
  await store.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
