import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { ask } from "./serving.testkit.ts";

/** `stepfall up` and `run --open`, as people call them. */

let scene: Scene;
beforeEach(() => {
  scene = new Scene({
    "held.yaml": `steps:\n  held: { command: "until [ -f $GO ]; do sleep 0.1; done", readonly: true }\n`,
    "quick.yaml": `steps:\n  quick: { command: "true", readonly: true }\n`,
  });
});
afterEach(async () => {
  // One that `--open` has started is nobody's child.
  const left = existsSync(join(scene.home, "server", "server.json")) ? record().pid : 0;
  if (left > 0) process.kill(left, "SIGTERM");
  await scene[Symbol.asyncDispose]();
});

const soon = async <T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  for (const until = Date.now() + 90_000; Date.now() < until;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("it did not come to that");
};
const record = (): { url: string; pid: number } =>
  JSON.parse(readFileSync(join(scene.home, "server", "server.json"), "utf8")) as { url: string; pid: number };
const asked = (path: string, json?: object) => {
  const authorization = `Bearer ${readFileSync(join(scene.home, "server", "approver.token"), "utf8").trim()}`;
  const more = json === undefined ? {} : { method: "POST", body: JSON.stringify(json) };
  return ask(record().url, `/api/v1${path}`, { ...more, headers: { authorization, "content-type": "application/json" } });
};
const statusOf = async (runId: string): Promise<unknown> => (await asked(`/runs/${runId}`)).json?.["status"];

test(
  "one server for a home: a second says where it is, with a link of its own; Ctrl-C ends it, and the run it has started goes on; without its home it ends",
  { timeout: 240_000 },
  async () => {
    const go = join(scene.folder, "go");
    scene.write({ "held.yaml": `steps:\n  held: { command: "until [ -f ${go} ]; do sleep 0.1; done", readonly: true }\n` });
    scene.git("commit", "--quiet", "--all", "--message", "held");
    const first = scene.start(["up", "--port", "0"]);
    await first.said("Open this");
    const second = await scene.run(["up", "--json", "--role", "viewer"]);
    expect(second).toMatchObject({ code: 0, stderr: expect.stringContaining("already") as string });
    const told = JSON.parse(second.stdout) as { link: string; url: string; pid: number };
    expect(told).toMatchObject({ url: record().url, pid: first.child.pid, role: "viewer" });
    const link = new URL(told.link);
    const { status, headers } = await ask(told.url, link.pathname + link.search);
    expect(status).toBe(303);
    const me = await ask(told.url, "/api/v1/me", { headers: { cookie: headers["set-cookie"]?.[0]?.split(";")[0] ?? "" } });
    expect(me.json).toMatchObject({ role: "viewer" });
    // The same link again: a browser that is logged in goes on, another is told.
    const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    expect((await ask(told.url, link.pathname + link.search, { headers: { cookie } })).status).toBe(303);
    expect((await ask(told.url, link.pathname + link.search)).status).toBe(403);
    // Called in another project, it means that one.
    const other = join(scene.folder, "the other (one)");
    scene.git("clone", "--quiet", scene.project, other);
    const there = JSON.parse((await scene.run(["up", "--json"], { cwd: other })).stdout) as { link: string };
    const linked = new URL(there.link);
    const page = (await ask(told.url, linked.pathname + linked.search)).headers["location"] ?? "";
    expect(new URL(page, told.url).searchParams.get("project")).toBe(other);
    expect((await asked(`/agents?project=${encodeURIComponent(other)}`)).status).toBe(200);
    expect((await asked(`/agents?project=${encodeURIComponent(scene.folder)}`)).status).toBe(404);

    const { json } = await asked("/runs", { project: scene.project, pipeline: { file: "held.yaml" } });
    const runId = String(json?.["runId"]);
    // As where a launcher passes the key on.
    first.child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 20));
    first.child.kill("SIGINT");
    const ended = await first.ended;
    expect(ended).toMatchObject({ code: 0 });
    expect(new URL(ended.stdout.trim()).pathname).toBe("/login");
    expect(existsSync(join(scene.home, "server", "server.json"))).toBe(false);
    writeFileSync(go, "");
    await soon(async () => ((await keptBy(scene)).of("RunFinished").length === 1 ? true : undefined));

    // Killed instead of ended, it leaves its place to the next.
    const third = scene.start(["up", "--port", "0"]);
    await third.said("Open this");
    // Stopped with Ctrl-Z, it is named at once.
    third.child.kill("SIGSTOP");
    const refused = await scene.run(["up"]);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^SERVER_SILENT: .* is stopped: process \d+\.\n`fg`/m) as string,
    });
    third.child.kill("SIGKILL");
    await third.ended;
    const fourth = scene.start(["up", "--port", "0"]);
    await fourth.said("Open this");
    expect(await statusOf(runId)).toBe("succeeded");
    rmSync(scene.home, { recursive: true, force: true });
    expect(await fourth.ended).toMatchObject({ code: 1, stderr: expect.stringContaining("HOME_GONE") as string });
    expect(existsSync(scene.home)).toBe(false);
  },
);

test(
  "a run whose process was killed is taken up, each time, and that is said; one that was interrupted is left to whoever did it",
  { timeout: 240_000 },
  async () => {
    const go = join(scene.folder, "go");
    scene.write({ "held.yaml": `steps:\n  held: { command: "until [ -f ${go} ]; do sleep 0.1; done", readonly: true }\n` });
    scene.git("commit", "--quiet", "--all", "--message", "held");
    const interrupted = scene.start(["run", "held.yaml", "--grace", "0s"]);
    await interrupted.said("held#1 started");
    interrupted.child.kill("SIGTERM");
    await interrupted.ended;
    const killed = scene.start(["run", "held.yaml"]);
    await killed.said("held#1 started");
    killed.child.kill("SIGKILL");
    await killed.ended;
    const { runId } = await keptBy(scene);

    const server = scene.start(["up", "--port", "0"]);
    await server.said(`run ${runId} (held): the process that drove it is gone; another goes on with it`);
    await soon(async () => ((await statusOf(runId)) === "running" ? true : undefined));
    const { runs } = (await asked("/runs")).json as { runs: { status: string }[] };
    expect(runs.map(({ status }) => status)).toEqual(["running", "stopped"]);
    // Killed once more, it is taken up once more.
    const driver = async (): Promise<string | undefined> => {
      const { attempts } = (await asked("/agents")).json as { attempts: { lease: { holder: string; isGone: boolean } }[] };
      return attempts.find(({ lease }) => !lease.isGone)?.lease.holder;
    };
    const holder = await soon(driver);
    process.kill(Number(holder.split(":")[1]), "SIGKILL");
    await soon(async () => ((await driver()) ?? holder) !== holder || undefined);
    writeFileSync(go, "");
    await soon(async () => ((await statusOf(runId)) === "succeeded" ? true : undefined));
    expect((await keptBy(scene)).of("RunResumed").map(({ data }) => data.by)).toEqual(["up:take-up", "up:take-up"]);
    server.child.kill("SIGTERM");
    const { stderr } = await server.ended;
    expect(stderr.match(/another goes on with it/g)).toHaveLength(2);
  },
);

test(
  "run --open starts the server where there is none and shows the run's page; without a browser it says the link",
  { timeout: 120_000 },
  async () => {
    const shown = join(scene.folder, "shown");
    const browser = join(scene.folder, "browser");
    writeFileSync(browser, `#!/bin/sh\necho "$1" > ${shown}\n`);
    chmodSync(browser, 0o755);
    const run = await scene.run(["run", "quick.yaml", "--open"], { env: { BROWSER: browser } });
    expect(run.code).toBe(0);
    const link = new URL(await soon(() => (existsSync(shown) && readFileSync(shown, "utf8").trim()) || undefined));
    const { pid } = record();
    const { headers } = await ask(record().url, link.pathname + link.search);
    expect(headers.location).toBe(`/runs/${(await keptBy(scene)).runId}`);
    const again = await scene.run(["run", "quick.yaml", "--open"], { env: { BROWSER: join(scene.folder, "none") } });
    expect(again.stderr).toMatch(/There is no browser to open here\. The page, .*: http:\/\/127\.0\.0\.1:\d+\/login\?token=/);
    expect(record().pid).toBe(pid);
  },
);
