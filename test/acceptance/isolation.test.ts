import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Scene, type Running } from "../../src/cli/cli.testkit.ts";
import { machineFolder, PortBook } from "../../src/fleet/index.ts";
import { keptAgents, signal } from "../crash/processes.ts";
import { keptBy } from "./run-journal.testkit.ts";

/** Lines that commands of a run have written into a file beside the project, in words. */
function toldIn(scene: Scene, name: string): string[][] {
  const file = join(scene.folder, name);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
}

/** Ports that are out for the scene's home: it is one list for the whole machine. */
function portsOut(scene: Scene): string[] {
  const book = new PortBook(machineFolder(scene.home, process.getuid?.() ?? 0));
  try {
    return book
      .list()
      .filter((lease) => lease.home === scene.home)
      .map((lease) => `${lease.attempt} ${lease.purpose}`);
  } finally {
    book.close();
  }
}

/** The pipeline's files may name the scene's folder, which is made first. */
function sceneOf(files: (folder: string) => Record<string, string>): Scene {
  const scene = new Scene();
  scene.write(files(scene.folder));
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "files");
  return scene;
}

/** Whoever writes settings of their own. */
function userSettings(scene: Scene, text: string): void {
  mkdirSync(scene.home, { recursive: true });
  writeFileSync(join(scene.home, "config.yaml"), text);
}

const until = async (isSo: () => boolean, running: Running): Promise<void> => {
  let isOver = false;
  void running.ended.then(() => (isOver = true));
  while (!isSo() && !isOver) await sleep(20);
  if (!isSo()) throw new Error((await running.ended).stderr);
};

test("steps that run side by side, and their clean checkouts, each have ports, a name and variables of their own", async () => {
  const say = (who: string, folder: string): string =>
    `echo ${who} $STEPFALL_NAME $PORT $STEPFALL_PORT_2 $COMPOSE_PROJECT_NAME $DB $WHO $PLAIN $DIR $(pwd -P) $HOME $TMPDIR >> ${folder}/told`;
  const step = (me: string, other: string, folder: string): string =>
    `  ${me}:
    command: "${say(me, folder)}; until grep -q '^${other} ' ${folder}/told; do sleep 0.05; done; echo 1 > ${me}.txt"
    outputs: [${me}.txt]
    env: { PLAIN: mine-${me} }
    gates: ["${say(`gate-${me}`, folder)}; until grep -q '^gate-${other} ' ${folder}/told; do sleep 0.05; done"]
`;
  await using scene = sceneOf((folder) => ({
    "stepfall.yaml":
      'isolation:\n  ports: 3\n  env: { DB: "app_${NAME}_${PORT_3}", WHO: "${RUN}/${STEP}=${ATTEMPT}", PLAIN: "theirs", DIR: "${TREE}:${HOME}:${TMP}" }\n',
    "p.yaml": `steps:\n${step("a", "b", folder)}${step("b", "a", folder)}`,
  }));
  const ended = await scene.run(["run", "p.yaml", "--slots", "2"]);
  expect(ended.code, ended.stderr).toBe(0);
  const { runId } = await keptBy(scene);
  const told = toldIn(scene, "told");
  // Who of the two is merged last is judged once more, on the merged tree.
  expect([4, 5]).toContain(told.length);
  for (const [who = "", name = "", port, second, compose, db, attempt, plain, dir, pwd, home, tmp] of told) {
    const of = who.replace("gate-", "");
    expect(name).toMatch(/^[a-z][a-z0-9]{17}$/);
    expect([compose, second, db]).toEqual([name, String(Number(port) + 1), `app_${name}_${Number(port) + 2}`]);
    expect([attempt, plain, dir]).toEqual([`${runId}/${of}=${runId}/${of}#1`, `mine-${of}`, `${pwd}:${home}:${tmp}`]);
  }
  expect(new Set(told.map((line) => line[1])).size).toBe(told.length);
  const ports = told.slice(0, 4).flatMap((line) => [0, 1, 2].map((i) => Number(line[2]) + i));
  expect(new Set(ports).size).toBe(12);
  expect(portsOut(scene)).toEqual([]);
});

/** Setup and teardown of every place are written down; what a step's own teardown says of itself makes no difference. */
const booked = (folder: string): string => `setup: ["echo up $STEPFALL_STEP $STEPFALL_NAME >> ${folder}/book"]
teardown: ["echo down $STEPFALL_STEP $STEPFALL_NAME >> ${folder}/book"]
agents: { idle: { executor: shell, command: "echo $$ > ${folder}/agent; sleep 60" } }
`;

/** Each place that was set up was torn down, once, and in this order. */
function expectAllTornDown(scene: Scene, step: string, places: number): void {
  const lines = toldIn(scene, "book").filter((line) => line[1] === step);
  const names = (word: string): (string | undefined)[] => lines.filter((line) => line[0] === word).map((line) => line[2]);
  expect(names("up"), step).toHaveLength(places);
  expect(new Set(names("up")).size).toBe(places);
  expect(names("down").toSorted(), step).toEqual(names("up").toSorted());
}

test("teardown runs in every place, the step's before the project's, after success, refusal and failure; that it fails is told and changes nothing", async () => {
  await using scene = sceneOf((folder) => ({
    "stepfall.yaml": booked(folder),
    "p.yaml": `defaults: { retry: 1 }
steps:
  good:
    command: "echo 1 > g.txt"
    outputs: [g.txt]
    gates: ["true"]
    teardown: ["echo own $STEPFALL_STEP $STEPFALL_NAME >> ${folder}/book; echo no such container; exit 3"]
  refused: { needs: good, command: "echo 1 > r.txt", outputs: [r.txt], gates: ["false"], may-fail: true }
  failed: { needs: refused, command: exit 7, readonly: true, may-fail: true }
  unprepared: { needs: failed, setup: ["exit 5"], command: "true", readonly: true, may-fail: true }
`,
  }));
  const ended = await scene.run(["run", "p.yaml"]);
  expect(ended.code, ended.stderr).toBe(0);
  expectAllTornDown(scene, "good", 2);
  expectAllTornDown(scene, "refused", 2);
  expectAllTornDown(scene, "failed", 1);
  expectAllTornDown(scene, "unprepared", 1);
  const order = toldIn(scene, "book")
    .filter((line) => line[1] === "good")
    .map((line) => line[0]);
  // The gates' checkout is gone before its attempt's own place is.
  expect(order).toEqual(["up", "up", "own", "down", "own", "down"]);
  expect(ended.stderr.match(/good: teardown `echo own [^\n]* exits 3/g)).toHaveLength(2);
  expect((await scene.run(["logs", "--step", "good"])).stdout).toContain("no such container");
  const { values } = await scene.json("show");
  expect(values[0]).toMatchObject({ status: "succeeded" });
  expect(portsOut(scene)).toEqual([]);
});

test("Ctrl-C twice: what is ended is torn down before the program is, and its ports are free", async () => {
  await using scene = sceneOf((folder) => ({
    "stepfall.yaml": booked(folder),
    "p.yaml": "steps:\n  a: { prompt: wait, agent: idle, readonly: true }\n",
  }));
  const running = scene.start(["run", "p.yaml"]);
  await until(() => existsSync(join(scene.folder, "agent")), running);
  expect(portsOut(scene)).toHaveLength(1);
  running.child.kill("SIGINT");
  await running.said("Ctrl-C again to stop now");
  await sleep(400);
  running.child.kill("SIGINT");
  expect((await running.ended).code).toBe(130);
  expectAllTornDown(scene, "a", 1);
  expect(portsOut(scene)).toEqual([]);
});

test("an engine killed with the keeper of its agent: resume tears down what they left, and tries anew with ports of its own", async () => {
  await using scene = sceneOf((folder) => ({
    "stepfall.yaml": booked(folder),
    "p.yaml": `steps:\n  a: { command: "echo $STEPFALL_NAME $PORT >> ${folder}/told; test -e ${folder}/go || sleep 60", readonly: true }\n`,
  }));
  const running = scene.start(["run", "p.yaml"]);
  await until(() => existsSync(join(scene.folder, "told")), running);
  running.child.kill("SIGKILL");
  await running.ended;
  const { runId } = await keptBy(scene);
  const [kept] = keptAgents(scene.home, runId);
  signal(kept?.keeper?.pid ?? 0, "SIGKILL");
  // Nobody was there to do it.
  expect(toldIn(scene, "book").map((line) => line[0])).toEqual(["up"]);
  expect(portsOut(scene)).toEqual([`${runId}/a#1 agent`]);
  writeFileSync(join(scene.folder, "go"), "");
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toContain("a#1 interrupted: the engine that ran it died");
  expectAllTornDown(scene, "a", 2);
  expect(toldIn(scene, "book").map((line) => line[0])).toEqual(["up", "down", "up", "down"]);
  const [first, second] = toldIn(scene, "told");
  expect(first?.[0]).not.toBe(second?.[0]);
  expect(portsOut(scene)).toEqual([]);
});

test("an engine killed while gates run: their place is torn down, and the next engine makes one of its own", async () => {
  await using scene = sceneOf((folder) => ({
    "stepfall.yaml": booked(folder),
    "p.yaml": `steps:\n  a: { command: echo 1 > a.txt, outputs: [a.txt], gates: ["touch ${folder}/judging; test -e ${folder}/go || sleep 60"] }\n`,
  }));
  const running = scene.start(["run", "p.yaml"]);
  await until(() => existsSync(join(scene.folder, "judging")), running);
  running.child.kill("SIGKILL");
  await running.ended;
  expect(toldIn(scene, "book").map((line) => line[0])).toEqual(["up", "up"]);
  writeFileSync(join(scene.folder, "go"), "");
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toContain("a#1 goes on");
  const [agent = [], first = [], , second = []] = toldIn(scene, "book");
  const [ofAgent, ofFirst, ofSecond] = [agent[2], first[2], second[2]];
  expect(toldIn(scene, "book").map((line) => [line[0], line[2]])).toEqual([
    ["up", ofAgent],
    ["up", ofFirst],
    ["down", ofFirst],
    ["up", ofSecond],
    ["down", ofSecond],
    ["down", ofAgent],
  ]);
  expect(new Set([ofAgent, ofFirst, ofSecond])).toHaveProperty("size", 3);
  expect(portsOut(scene)).toEqual([]);
});

test("an attempt whose workspace grows too large is ended, with that as the reason, and the step is tried again", async () => {
  await using scene = sceneOf((folder) => ({
    "stepfall.yaml": "isolation: { workspace-disk: 30MB }\n",
    "p.yaml": `steps:\n  a: { command: "if mkdir ${folder}/once; then head -c 50000000 /dev/urandom > $TMPDIR/large; sleep 60; fi; echo 1 > a.txt", outputs: [a.txt], retry: 2 }\n`,
  }));
  const ended = await scene.run(["run", "p.yaml"]);
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await keptBy(scene);
  expect(kept.of("AttemptFailed").map((e) => [e.data.kind, e.data.message])).toEqual([
    [
      "agent",
      expect.stringMatching(/^its workspace takes more than 30\.0 MB \(`isolation\.workspace-disk`\): \S+ MB were counted/) as string,
    ],
  ]);
  expect(kept.of("AttemptAccepted").map((e) => e.data.attempt)).toEqual([`${kept.runId}/a#2`]);
  expect(ended.stderr).toMatch(/a#1 failed .*its workspace takes more than 30\.0 MB/);
});

test("without room on the disk nothing is started; with the user's own settings mended the run goes on", async () => {
  await using scene = sceneOf(() => ({ "p.yaml": "steps:\n  a: { command: echo 1 > a.txt, outputs: [a.txt] }\n" }));
  userSettings(scene, "isolation: { free-disk: 1000TB }\n");
  const ended = await scene.run(["run", "p.yaml"]);
  expect(ended.code, ended.stdout).toBe(1);
  expect(ended.stderr).toMatch(
    /NO_DISK_ROOM: only \S+ \wB are free on the disk of Stepfall's folder, and `isolation\.free-disk` asks for 1000 TB/,
  );
  expect((await keptBy(scene)).of("AttemptStarted")).toEqual([]);
  expect((await scene.run(["ps"])).stdout).toContain("stopped (resume)");
  expect((await scene.run(["resume"])).code).toBe(1);
  userSettings(scene, "isolation: { free-disk: 1MB }\n");
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  const kept = await keptBy(scene);
  expect(kept.of("AttemptStarted").map((e) => e.data.attempt)).toEqual([`${kept.runId}/a#1`]);
});
