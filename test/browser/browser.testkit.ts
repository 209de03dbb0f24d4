import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import axe, { type AxeResults } from "axe-core";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { launcher, Scene } from "../../src/cli/cli.testkit.ts";
import { createLauncher, openControl, type Control } from "../../src/control/index.ts";
import { startServer, type Role, type RunningServer } from "../../src/server/index.ts";

/** A real browser before a real server with real runs. One browser for a file: each start takes seconds. */

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Debian's, or whatever is on PATH under that name; `undefined` where there is none. */
export const chromiumPath: string | undefined = (process.env["PATH"] ?? "")
  .split(":")
  .filter((folder) => folder !== "")
  .map((folder) => join(folder, "chromium"))
  .find((file) => isProgram(file));

/** For `describe.skipIf`: said loudly once, since a suite that is left out looks like one that passed. */
export function lacksBrowser(): boolean {
  if (chromiumPath === undefined)
    process.stderr.write("chromium is not on PATH: tests of the dashboard are skipped. On Debian: apt-get install chromium\n");
  return chromiumPath === undefined;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** With a profile folder of its own, which goes with it. */
export const launchBrowser = (): Promise<Browser> => {
  if (chromiumPath === undefined) throw new Error("there is no chromium");
  return chromium.launch({ executablePath: chromiumPath, args: FLAGS, timeout: 120_000 });
};

/** Builds web/dist where it is older than web/src. */
export function buildDashboard(): string {
  const done = spawnSync(process.execPath, [join(root, "scripts", "build-web.mjs"), "--if-needed"], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`the dashboard cannot be built:\n${done.stdout}${done.stderr}`);
  return join(root, "web", "dist");
}

/** A home with a project in it, and the server for it. Runs that are started from it are processes of their own. */
export class Dashboard implements AsyncDisposable {
  readonly scene: Scene;
  readonly control: Control;
  #server: RunningServer;
  readonly #folder: string;

  private constructor(scene: Scene, control: Control, server: RunningServer, folder: string) {
    this.scene = scene;
    this.control = control;
    this.#server = server;
    this.#folder = folder;
  }

  /** `files`: committed in the project. */
  static async open(files: Readonly<Record<string, string>> = {}): Promise<Dashboard> {
    const folder = buildDashboard();
    const scene = new Scene(files);
    const env = {
      PATH: process.env["PATH"],
      HOME: scene.folder,
      STEPFALL_HOME: scene.home,
      LC_ALL: "C.UTF-8",
      OLLAMA_HOST: "http://127.0.0.1:9",
      ...scene.sandbox,
    };
    const control = await openControl({
      surroundings: { env, cwd: scene.project, clock, home: scene.home },
      launcher: createLauncher({ env }, [process.execPath, launcher]),
    });
    return new Dashboard(scene, control, await serve(control, scene, folder), folder);
  }

  get url(): string {
    return this.#server.url;
  }

  /** Ends the server; runs go on. */
  stopServer(): Promise<void> {
    return this.#server.close();
  }

  /** At the port where it was. `version`: as if it had been updated meanwhile. */
  async startServer(version?: string): Promise<void> {
    this.#server = await serve(this.control, this.scene, this.#folder, {
      port: this.#server.port,
      ...(version === undefined ? {} : { version }),
    });
  }

  /** A browser of somebody who has opened a login link, at a width. */
  async logIn(browser: Browser, { role = "approver", width = 1280, colorScheme = "light" }: Visit = {}): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: { width, height: width < 600 ? 844 : 800 },
      colorScheme,
      reducedMotion: "reduce",
    });
    context.setDefaultTimeout(30_000);
    const visitor = new Visitor(context, await context.newPage(), this.url);
    await visitor.page.goto(this.#server.loginLink(role));
    return visitor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    // Their processes are nobody's children: those that wait for people would wait for ever.
    for (const { runId, endedAt } of await this.control.runs({ limit: 1000 }))
      if (endedAt === undefined) await this.control.cancel("test:end", runId).catch(() => undefined);
    await this.control[Symbol.asyncDispose]();
    await this.scene[Symbol.asyncDispose]();
  }
}

export interface Visit {
  role?: Role;
  /** 1280 is a desktop, 390 a phone. */
  width?: number;
  colorScheme?: "light" | "dark";
}

const clock = { now: () => Date.now() };

const serve = (control: Control, scene: Scene, dashboard: string, more: { port?: number; version?: string } = {}): Promise<RunningServer> =>
  startServer({ control, clock, home: scene.home, version: "0.0.0-test", user: "anna", dashboard, ...more });

/** A logged-in browser, and everything it complained of. */
export class Visitor implements AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the console and of scripts, and requests to anywhere else. Should be empty. */
  readonly complaints: string[] = [];
  readonly #url: string;

  constructor(context: BrowserContext, page: Page, url: string) {
    this.context = context;
    this.page = page;
    this.#url = url;
    this.listenTo(page);
  }

  /** A further tab. */
  async newTab(path: string): Promise<Page> {
    const page = await this.context.newPage();
    this.listenTo(page);
    await page.goto(this.#url + path);
    return page;
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(this.#url + path);
  }

  /** What axe finds serious or worse, as lines. `rules`: only these. */
  async serious({ page = this.page, rules }: { page?: Page; rules?: readonly string[] } = {}): Promise<string[]> {
    // Not as a script of the page: that would be refused by its policy, which is on as it is for everybody.
    if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source);
    const options = { resultTypes: ["violations"], ...(rules ? { runOnly: { type: "rule", values: rules } } : {}) };
    const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.any[0]?.message ?? ""}`));
  }

  private listenTo(page: Page): void {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        this.complaints.push(`console: ${message.text()} ${message.location().url}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`script: ${error.stack ?? error.message}`));
    page.on("request", (request) => {
      if (!request.url().startsWith(this.#url)) this.complaints.push(`off the machine: ${request.url()}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}
