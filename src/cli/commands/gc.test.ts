import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { processStartTime } from "../../agents/index.ts";
import { machineFolder, PortBook } from "../../fleet/index.ts";
import { Scene } from "../cli.testkit.ts";

const started: ChildProcess[] = [];
afterAll(() => started.forEach((child) => child.kill("SIGKILL")));

interface Told {
  kind: string;
  what: string;
  why: string;
  bytes?: number;
  outcome?: string;
}
interface Answer {
  code: number | null;
  orphans: Told[];
  kept: { what: string; why: string }[];
}

/** Without what other tests, killed at some time, have left where all homes of this machine meet: in memory, in /tmp, in the list of ports. */
async function gc(scene: Scene, ...args: string[]): Promise<Answer> {
  const { code, stdout } = await scene.run(["gc", "--json", ...args], { env: { TMPDIR: scene.folder } });
  const { orphans, kept } = JSON.parse(stdout) as Answer;
  const isElsewhere = ({ what, why }: Told): boolean =>
    /^\/(?:dev\/shm|tmp)\/stepfall-\w{6}\b/.test(what) || why.startsWith("Stepfall's folder");
  return { code, orphans: orphans.filter((o) => !isElsewhere(o)), kept };
}
const kindsOf = ({ orphans }: Answer): string[] => orphans.map((o) => o.kind).toSorted();

/** A program that nothing holds any more, as an engine that was killed leaves it. */
function adrift(scene: Scene, attempt: string, place: string): Promise<number> {
  const env = `STEPFALL_ATTEMPT=${attempt} TMPDIR=${scene.home}/workspaces/${place}/tmp`;
  const child = spawn("sh", ["-c", `setsid env ${env} sleep 300 >/dev/null 2>&1 & echo $!`], { stdio: ["ignore", "pipe", "ignore"] });
  return new Promise((resolve) => child.stdout.once("data", (text) => resolve(Number(String(text)))));
}

const lives = (pid: number): boolean => processStartTime(pid) !== undefined;

/** A file of 300 kB; it and the folders above it, up to `top`, last changed so long ago. */
function plant(path: string, hoursOld = 0, top = path): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.alloc(300_000, 1));
  const at = Date.now() / 1000 - hoursOld * 3600;
  for (let p = path; p.startsWith(top); p = dirname(p)) utimesSync(p, at, at);
  return path;
}

const quick = { "p.yaml": "steps:\n  a: { command: echo 1 > a.txt, outputs: [a.txt] }\n" };
const runIdIn = async (scene: Scene): Promise<string> => {
  const { values } = await scene.json("ps");
  return (values[0] as { runs: { runId: string }[] }).runs[0]?.runId ?? "";
};

test("where nothing ran there is nothing to look for, and nothing is made or removed", async () => {
  await using scene = new Scene();
  plant(join(scene.home, "workspaces/x/y-1/f"));
  const { code, stdout, stderr } = await scene.run(["gc", "--yes"]);
  expect([code, stdout]).toEqual([0, ""]);
  expect(stderr).toMatch(/Nothing was run/);
  expect(readdirSync(scene.home)).toEqual(["workspaces"]);
  expect(existsSync(join(scene.home, "workspaces/x/y-1/f"))).toBe(true);
});

test("what nobody owns is shown first, each with what, why and how large, and is gone only with --yes", async () => {
  await using scene = new Scene(quick);
  expect((await scene.run(["run", "p.yaml"])).code).toBe(0);
  const run = await runIdIn(scene);
  writeFileSync(join(scene.home, "config.yaml"), "isolation: { cache-disk: 400KB }\n");
  // A workspace of a run that is over, and one of a run that nobody knows.
  plant(join(scene.home, "workspaces", run, "a-1/tree/f"));
  plant(join(scene.home, "workspaces/01lost/a-1/tree/f"));
  const ours = await adrift(scene, `${run}/a#1`, `${run}/a-1`);
  const lost = await adrift(scene, "01lost/a#1", "01lost/a-1");
  // Of another home, whatever its attempt is called.
  const foreign = spawn("sleep", ["300"], {
    env: { PATH: process.env["PATH"], STEPFALL_ATTEMPT: `${run}/a#1x`, TMPDIR: "/tmp" },
    detached: true,
  });
  started.push(foreign);
  // Its parent, a shell of its own, lives: as the engine does that tries an agent before its run is in the store.
  const command = `env STEPFALL_ATTEMPT=preflight-1 TMPDIR=${scene.home}/workspaces/x/tmp sleep 300 & echo $!; wait`;
  const parent = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  started.push(parent);
  const young = await new Promise<number>((resolve) => parent.stdout.once("data", (text) => resolve(Number(String(text)))));
  // Refs: of the run, of an old one nobody knows, of a young one nobody knows.
  const head = scene.git("rev-parse", "HEAD");
  const old = scene.git("-c", "user.name=x", "commit-tree", "HEAD^{tree}", "-m", "old");
  scene.git("update-ref", `refs/stepfall/${run}/a/1`, head);
  scene.git("update-ref", "refs/stepfall/01young/a/1", old);
  // Ports, a cache beyond the limit, a gateway that is gone, a folder for a moment, a socket.
  const book = new PortBook(machineFolder(scene.home, process.getuid?.() ?? 0));
  const range = { from: 20_000, to: 32_000 };
  const place = { home: scene.home, attempt: `${run}/a#1`, purpose: "agent", holder: "h:1:x", at: 1 };
  book.take(place, { count: 2, range, refused: new Set(), isGone: () => false });
  plant(join(scene.home, "cache/aaaa/npm/f"), 50, join(scene.home, "cache/aaaa"));
  plant(join(scene.home, "cache/bbbb/npm/f"));
  mkdirSync(join(scene.home, "gateway"), { recursive: true });
  writeFileSync(join(scene.home, "gateway/gateway.json"), JSON.stringify({ pid: 999_999, startTime: "1", port: 1, adminToken: "t" }));
  plant(join(scene.home, "preflight-AbCdEf/f"), 3, join(scene.home, "preflight-AbCdEf"));
  plant(join(scene.home, "preflight-FreshX/f"));
  const socket = join(scene.home, "gateway/dead");
  await deadSocket(socket);

  const shown = await gc(scene);
  expect(shown.code).toBe(0);
  expect(kindsOf(shown)).toEqual(["cache", "gateway", "ports", "process", "process", "socket", "temp", "workspace", "workspace"]);
  const why = Object.fromEntries(shown.orphans.map((o) => [o.what.replace(scene.home, "~"), o.why]));
  expect(why[`~/workspaces/${run}/a-1`]).toMatch(/^its run succeeded .* ago$/);
  expect(why["~/workspaces/01lost/a-1"]).toBe("the store knows no such run");
  expect(why[`process ${ours} of ${run}/a#1`]).toMatch(/^its run succeeded/);
  expect(why[`process ${lost} of 01lost/a#1`]).toBe("the store knows no such run");
  expect(why["~/cache/aaaa"]).toMatch(/more than `isolation\.cache-disk`; this one was last written 2 d ago/);
  expect(why["~/preflight-AbCdEf"]).toMatch(/temporary folder/);
  for (const o of shown.orphans.filter((x) => ["workspace", "cache", "temp"].includes(x.kind))) expect(o.bytes).toBeGreaterThan(290_000);
  expect(shown.kept.map((k) => k.why).toSorted()).toEqual([
    "it belongs to no run, but what started it still runs",
    expect.stringMatching(/^its run succeeded .* ago, which is not long$/),
    expect.stringMatching(/^the store knows no such run, but another home may/),
  ]);
  expect([lives(ours), lives(lost), existsSync(join(scene.home, "workspaces/01lost"))]).toEqual([true, true, true]);

  const removed = await gc(scene, "--yes", "--older-than", "0s");
  expect(removed.code).toBe(0);
  expect(kindsOf(removed)).toEqual([...kindsOf(shown), "refs"].toSorted());
  expect(new Set(removed.orphans.map((o) => o.outcome))).toEqual(new Set(["removed"]));
  expect([lives(ours), lives(lost), lives(foreign.pid ?? 0), lives(young)]).toEqual([false, false, true, true]);
  process.kill(young, "SIGKILL");
  expect(existsSync(join(scene.home, "workspaces", run, "a-1"))).toBe(false);
  expect(existsSync(join(scene.home, "cache/bbbb/npm/f"))).toBe(true);
  expect(existsSync(join(scene.home, "preflight-FreshX/f"))).toBe(true);
  expect(book.of(scene.home, `${run}/a#1`)).toEqual([]);
  book.close();
  expect(scene.git("for-each-ref", "--format=%(refname)", "refs/stepfall/")).toBe("refs/stepfall/01young/a/1");
  expect(scene.git("show", `stepfall/${run}:a.txt`)).toBe("1");

  expect((await gc(scene, "--yes")).orphans).toEqual([]);
});

test("after a run that went well there are no orphans, and its transcripts stay unless they are asked for", async () => {
  await using scene = new Scene(quick);
  expect((await scene.run(["run", "p.yaml"])).code).toBe(0);
  const run = await runIdIn(scene);
  const transcripts = (): string[] => readdirSync(join(scene.home, "runs", run)).filter((name) => name.endsWith(".ndjson"));
  const before = transcripts();
  expect(before.length).toBeGreaterThan(0);
  expect((await gc(scene, "--yes", "--transcripts-older-than", "30d")).orphans).toEqual([]);
  expect(transcripts()).toEqual(before);
  const asked = await scene.run(["gc", "--apply", "--transcripts-older-than", "0s"], { env: { TMPDIR: scene.folder } });
  expect(asked.code).toBe(0);
  expect(asked.stdout).toMatch(/^transcripts +[\d.]+ k?B +\d transcripts? of run \w+ +its run succeeded .* ago +removed$/m);
  expect(asked.stderr).toMatch(/takes .* of 50\.0 GB \(.*journal .*\); .* are free on its disk\.\nRemoved \d/);
  expect(transcripts()).toEqual([]);
  expect((await scene.run(["gc", "--older-than", "soon"])).code).toBe(2);
});

test("beside a run that goes on it touches nothing of it, and after its engine was killed what the run can go on with stays", async () => {
  await using scene = new Scene();
  const go = join(scene.folder, "go");
  scene.write({
    "p.yaml": `steps:
  first: { command: "echo 1 > first.txt", outputs: [first.txt] }
  slow: { needs: first, command: "until [ -f ${go} ]; do sleep 0.05; done; echo 2 > slow.txt", outputs: [slow.txt] }
`,
  });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "pipeline");
  const running = scene.start(["run", "p.yaml"]);
  await running.said("slow#1 started");
  const run = await runIdIn(scene);
  await until(() => readdirSync(join(scene.home, "workspaces", run)).includes("slow-1"));
  // What an attempt whose step is over has left is nobody's, also while its run goes on.
  plant(join(scene.home, "workspaces", run, "first-1/tree/f"));
  const beside = await gc(scene, "--yes", "--older-than", "0s", "--transcripts-older-than", "0s");
  expect(beside.code).toBe(0);
  expect(beside.orphans.map((o) => [o.kind, o.what, o.outcome])).toEqual([
    ["workspace", join(scene.home, "workspaces", run, "first-1"), "removed"],
  ]);
  expect(existsSync(join(scene.home, "workspaces", run, "slow-1/tree/first.txt"))).toBe(true);

  running.child.kill("SIGKILL");
  await running.ended;
  const after = await gc(scene, "--yes", "--older-than", "0s", "--transcripts-older-than", "0s");
  expect(after.code).toBe(0);
  expect(after.orphans.filter((o) => o.kind !== "process" && o.kind !== "gateway")).toEqual([]);
  writeFileSync(go, "");
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(scene.git("show", `stepfall/${run}:slow.txt`)).toBe("2");
});

/** A socket file whose listener is gone, older than a minute. */
async function deadSocket(path: string): Promise<void> {
  const child = spawn(process.execPath, ["-e", `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("close", resolve));
  const at = Date.now() / 1000 - 600;
  utimesSync(path, at, at);
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !isSo();) {
    if (performance.now() > end) throw new Error("it did not come to be");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
