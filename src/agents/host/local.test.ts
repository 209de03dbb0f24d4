import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentHandle, OutputLine, SpawnSpec } from "../contract.ts";
import { createLocalHost, type LocalHostOptions } from "./local.ts";
import { isAlive, processStartTime } from "./process.ts";
import { folderOf } from "./record.ts";

let folder: string;
let counter = 0;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "stepfall-host-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hostOf = (options: Partial<LocalHostOptions> = {}) =>
  createLocalHost({ home: folder, clock: { now: () => 1234 }, mask: (text) => text, grace: { termMs: 200, intMs: 100 }, ...options });

function specOf(script: string, more: Partial<SpawnSpec> = {}): SpawnSpec {
  const attempt = `run${process.pid}/step#${++counter}`;
  return {
    attempt,
    role: "agent",
    argv: ["sh", "-c", script],
    cwd: folder,
    env: { PATH: "/usr/bin:/bin" },
    deadlineMs: 20_000,
    transcript: join(folder, "transcripts", `${counter}.ndjson`),
    ...more,
  };
}

async function collect(handle: AgentHandle): Promise<OutputLine[]> {
  const lines: OutputLine[] = [];
  for await (const line of handle.lines()) lines.push(line);
  return lines;
}

/** Runs a script to its end; answers what it wrote to stdout. */
async function outputOf(spec: SpawnSpec, options: Partial<LocalHostOptions> = {}): Promise<string> {
  const handle = await hostOf(options).spawn(spec);
  const lines = await collect(handle);
  expect(await handle.settle()).toMatchObject({ kind: "exited", code: 0 });
  return lines
    .filter((line) => line.stream === "stdout")
    .map((line) => line.text)
    .join("\n");
}

const isRunning = (pid: number): boolean => processStartTime(pid) !== undefined;

async function until(condition: () => boolean, ms = 15_000): Promise<void> {
  for (const end = performance.now() + ms; !condition(); await sleep(5)) if (performance.now() > end) throw new Error("waited too long");
}

describe("what a process gets", () => {
  test("its environment is what it was given and the attempt's name, and nothing of ours", async () => {
    process.env["STEPFALL_CANARY"] = "ours";
    try {
      const spec = specOf("", { argv: ["env"], env: { PATH: "/usr/bin:/bin", GREETING: "a b\nc" } });
      const output = await outputOf(spec);
      expect(output.split("\n").toSorted()).toEqual(["GREETING=a b", "PATH=/usr/bin:/bin", `STEPFALL_ATTEMPT=${spec.attempt}`, "c"]);
    } finally {
      delete process.env["STEPFALL_CANARY"];
    }
  });

  test("it has stdin, stdout and stderr open, and no other descriptor", async () => {
    const ofOurs = openSync("/dev/null", "r");
    const output = await outputOf(specOf("", { argv: ["ls", "/proc/self/fd"], input: "x" }));
    closeSync(ofOurs);
    // What this process was itself given from outside, above 9, is passed on by every program that starts another.
    const given = execFileSync("ls", ["/proc/self/fd"], { encoding: "utf8" })
      .split("\n")
      .filter((fd) => Number(fd) > 9);
    // 3 is the one `ls` reads the folder with.
    expect(output.split("\n").filter((fd) => !given.includes(fd))).toEqual(["0", "1", "2", "3"]);
  });

  test("arguments arrive as they are", async () => {
    const odd = ["a b", "", "$HOME", "'\"", "*", "line\nbreak", "-n", "é"];
    const output = await outputOf(specOf("", { argv: ["sh", "-c", 'for a in "$@"; do printf "<%s>" "$a"; done', "sh", ...odd] }));
    expect(output).toBe(odd.map((arg) => `<${arg}>`).join(""));
  });

  test("stdout, stderr and stdin can be opened again by path, as shell scripts do", async () => {
    const output = await outputOf(specOf("cat /dev/stdin > /dev/stdout; echo hidden | tee /dev/stderr > /dev/null", { input: "hello" }));
    expect(output).toBe("hello");
  });

  test("stdin left open takes what is sent, until the end", async () => {
    const handle = await hostOf().spawn(specOf("read a; echo got $a; read b; echo got $b", { stdin: "open", input: "one\n" }));
    await handle.send("two\n");
    expect((await collect(handle)).map((line) => line.text)).toEqual(["got one", "got two"]);
    await handle.settle();
    await expect(handle.send("three\n")).rejects.toMatchObject({ code: "AGENT_STDIN_CLOSED" });
  });
});

describe("how a process ends", () => {
  test("its exit code and its signal are told", async () => {
    const host = hostOf();
    expect(await (await host.spawn(specOf("exit 7"))).settle()).toMatchObject({ kind: "exited", code: 7 });
    expect(await (await host.spawn(specOf("kill -9 $$"))).settle()).toMatchObject({ kind: "signalled", signal: "SIGKILL" });
  });

  test("a program that is not there is unstartable; one that exits 127 itself is not", async () => {
    const host = hostOf();
    const missing = await host.spawn(specOf("", { argv: ["no-such-agent", "--print"] }));
    expect(await missing.settle()).toMatchObject({ kind: "unstartable", message: "no-such-agent: not found" });
    expect(await collect(missing)).toEqual([]);
    expect(await (await host.spawn(specOf("", { argv: ["/etc/passwd"] }))).settle()).toMatchObject({ kind: "unstartable" });
    expect(await (await host.spawn(specOf("", { cwd: join(folder, "nowhere") }))).settle()).toMatchObject({ kind: "unstartable" });
    expect(await (await host.spawn(specOf("", { argv: ["echo", "x".repeat(3_000_000)] }))).settle()).toMatchObject({ kind: "unstartable" });
    expect(await (await host.spawn(specOf("no-such-agent; exit 127"))).settle()).toMatchObject({ kind: "exited", code: 127 });
  });

  test("at its deadline it is ended, though it ignores TERM and INT, and so are its children", async () => {
    const handle = await hostOf().spawn(
      specOf('trap "" TERM INT; sleep 1000 & echo $!; while :; do sleep 1000; done', { deadlineMs: 200 }),
    );
    const began = performance.now();
    expect(await handle.settle()).toMatchObject({ kind: "deadline" });
    expect(performance.now() - began).toBeGreaterThan(450); // deadline + both graces
    const [child] = await collect(handle);
    expect(isRunning(handle.process.pid)).toBe(false);
    expect(isRunning(Number(child?.text))).toBe(false);
  });

  test("one that ends on TERM is not kept waiting", async () => {
    const handle = await hostOf({ grace: { termMs: 10_000 } }).spawn(
      specOf("trap 'echo cleaned; exit 0' TERM; while :; do sleep 0.02; done", { deadlineMs: 200 }),
    );
    const began = performance.now();
    expect(await handle.settle()).toMatchObject({ kind: "deadline" });
    expect(performance.now() - began).toBeLessThan(3000);
    expect((await collect(handle)).map((line) => line.text)).toContain("cleaned");
  });

  test("the leader's exit is the result, and children it left are ended", async () => {
    const handle = await hostOf().spawn(specOf("sleep 1000 & echo $!; setsid sleep 1000 & echo $!; exit 4"));
    expect(await handle.settle()).toMatchObject({ kind: "exited", code: 4 });
    for (const { text } of await collect(handle)) expect(isRunning(Number(text)), text).toBe(false);
  });

  test("a child that left both group and session and lost its parent is found by the attempt's name", async () => {
    const handle = await hostOf().spawn(specOf("(setsid sh -c 'setsid sleep 1000 & echo $!' &); sleep 0.2"));
    await handle.settle();
    const [child] = await collect(handle);
    expect(Number(child?.text)).toBeGreaterThan(1);
    expect(isRunning(Number(child?.text))).toBe(false);
  });

  test("two processes of one attempt do not end each other", async () => {
    const host = hostOf();
    // Its child is younger than the second process, which ends first.
    const long = specOf("while [ ! -e go ]; do sleep 0.01; done; setsid sleep 0.8 && echo survived & touch started; wait");
    const first = await host.spawn(long);
    const second = await host.spawn({
      ...specOf("touch go; while [ ! -e started ]; do sleep 0.01; done; sleep 0.2"),
      attempt: long.attempt,
    });
    expect(await second.settle()).toMatchObject({ kind: "exited", code: 0 });
    expect(await first.settle()).toMatchObject({ kind: "exited", code: 0 });
    expect((await collect(first)).map((line) => line.text)).toEqual(["survived"]);
  });

  test("settle may be asked by many, also after the end", async () => {
    const handle = await hostOf().spawn(specOf("exit 2"));
    const [a, b] = await Promise.all([handle.settle(), handle.settle()]);
    expect(a).toEqual(b);
    expect(await handle.settle(AbortSignal.abort())).toEqual(a);
    handle.signal("SIGKILL"); // and nobody is hit
  });
});

describe("what a process says", () => {
  test("lines are numbered, timed by the clock, and the same live as on disk", async () => {
    const spec = specOf("echo one; echo two >&2; sleep 0.1; printf 'three without newline'");
    const handle = await hostOf().spawn(spec);
    const live = await collect(handle);
    expect(live.map(({ seq, at, stream, text }) => `${seq} ${at} ${stream} ${text}`).toSorted()).toEqual(
      live.map((line) => `${line.seq} 1234 ${line.stream} ${line.text}`).toSorted(),
    );
    expect(live.map((line) => line.text).toSorted()).toEqual(["one", "three without newline", "two"]);
    expect(live.map((line) => line.seq)).toEqual([1, 2, 3]);
    expect(
      readFileSync(spec.transcript, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(live);
  });

  test("a reader gets a line before the process has ended", async () => {
    const handle = await hostOf().spawn(specOf("echo first; sleep 1000"));
    for await (const line of handle.lines()) {
      expect(line.text).toBe("first");
      break;
    }
    expect(await handle.settle(AbortSignal.abort())).toMatchObject({ kind: "aborted" });
  });

  test("a second process in the same transcript goes on counting, and each reads its own", async () => {
    const spec = specOf("echo setup; echo done");
    const host = hostOf();
    await (await host.spawn(spec)).settle();
    writeFileSync(spec.transcript, '{"seq":3,"at":1,"stre', { flag: "a" }); // cut by a crash
    writeFileSync(spec.transcript, "\n", { flag: "a" });
    const second = await host.spawn({ ...spec, argv: ["echo", "agent"] });
    expect((await collect(second)).map(({ seq, text }) => ({ seq, text }))).toEqual([{ seq: 3, text: "agent" }]);
    expect(await second.settle()).toMatchObject({ kind: "exited" });
    const later = [];
    for await (const line of second.lines(4)) later.push(line);
    expect(later).toEqual([]);
  });

  test("a secret that is written in two halves is masked", async () => {
    const output = await outputOf(specOf("printf 'key=sk-12345'; sleep 0.1; printf '67890\\nnext\\n'"), {
      mask: (text) => text.replaceAll("sk-1234567890", "***"),
    });
    expect(output).toBe("key=***\nnext");
  });

  test("a flood is stopped at the limit, without growing our memory", async () => {
    const spec = specOf("", { argv: ["yes", "x".repeat(200)] });
    const handle = await hostOf({ transcriptLimitBytes: 24 * 1024 * 1024 }).spawn(spec);
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
    const before = process.memoryUsage().rss;
    expect(await handle.settle()).toMatchObject({ kind: "flooded" });
    clearInterval(watch);
    expect(peak - before).toBeLessThan(150 * 1024 * 1024);
    const size = readFileSync(spec.transcript).length;
    expect(size).toBeLessThanOrEqual(24 * 1024 * 1024);
    expect(size).toBeGreaterThan(23 * 1024 * 1024);
  });

  test("a flood without a single newline is stopped, too", async () => {
    const handle = await hostOf({ transcriptLimitBytes: 1024 * 1024 }).spawn(specOf("", { argv: ["cat", "/dev/zero"] }));
    expect(await handle.settle()).toMatchObject({ kind: "flooded" });
  });
});

/** A real parent process that starts an agent through the host and is then killed. */
const parentScript = (agent: string, home: string, attempt: string) => `
  import { createLocalHost } from ${JSON.stringify(new URL("./local.ts", import.meta.url).href)};
  const host = createLocalHost({ home: ${JSON.stringify(home)}, clock: { now: () => 0 }, mask: (t) => t });
  const handle = await host.spawn({
    attempt: ${JSON.stringify(attempt)}, role: "agent", argv: ["sh", "-c", ${JSON.stringify(agent)}], cwd: ${JSON.stringify(home)},
    env: { PATH: "/usr/bin:/bin" }, deadlineMs: 600000, transcript: ${JSON.stringify(join(home, "t.ndjson"))},
  });
  console.log(handle.process.pid);
  setInterval(() => {}, 1000);
`;

describe("when the engine is killed", () => {
  test("a process that runs is on record, and the next engine ends it with its children", async () => {
    const attempt = "run-1/build/app#2";
    const agent = "echo $$ > leader; setsid sleep 1000 & echo $! > escaped; sleep 1000 & echo $! > child; wait";
    const parent = spawn(process.execPath, ["--input-type=module", "-e", parentScript(agent, folder, attempt)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await until(() => existsSync(join(folder, "child")) && readFileSync(join(folder, "child"), "utf8").endsWith("\n"));
    parent.kill("SIGKILL");
    await new Promise((resolve) => parent.once("exit", resolve));
    const pids = ["leader", "escaped", "child"].map((name) => Number(readFileSync(join(folder, name), "utf8")));
    expect(pids.map(isRunning)).toEqual([true, true, true]);
    expect(readdirSync(join(folder, "processes", folderOf(attempt)))).toEqual([`${pids[0]}.json`]);

    const ended = await hostOf().endLeftovers(attempt);
    expect(pids.map(isRunning)).toEqual([false, false, false]);
    expect(ended.map((record) => record.pid).toSorted()).toEqual(pids.toSorted());
    expect(existsSync(join(folder, "processes", folderOf(attempt)))).toBe(false);
    expect(await hostOf().endLeftovers(attempt)).toEqual([]);
  });

  test("children are ended, too, when the leader died with the engine", async () => {
    const attempt = "run-1/build#3";
    const agent = "echo $$ > leader; sleep 1000 & echo $! > child; wait";
    const parent = spawn(process.execPath, ["--input-type=module", "-e", parentScript(agent, folder, attempt)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await until(() => existsSync(join(folder, "child")) && readFileSync(join(folder, "child"), "utf8").endsWith("\n"));
    parent.kill("SIGKILL");
    const [leader, child] = ["leader", "child"].map((name) => Number(readFileSync(join(folder, name), "utf8"))) as [number, number];
    process.kill(leader, "SIGKILL");
    await until(() => !isRunning(leader));
    const ended = await hostOf().endLeftovers(attempt);
    expect(ended.map((record) => record.pid)).toEqual([child]);
    expect(isRunning(child)).toBe(false);
  });

  test("between record and go, or before the record, the program never runs", async () => {
    for (const [when, patch] of [
      ["after the record, before go", 'gate.go = () => process.kill(process.pid, "SIGKILL")'],
      ["before the record", 'records.write = () => process.kill(process.pid, "SIGKILL")'],
    ] as const) {
      const home = join(folder, when.replaceAll(/\W/g, "-"));
      mkdirSync(home);
      const href = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
      // Takes the same parts as the host, and dies at one point between them.
      const script = `
        import { startGated } from ${href("./gate.ts")};
        import { PipeMaker } from ${href("./pipes.ts")};
        import { processStartTime } from ${href("./process.ts")};
        import { ProcessRecords } from ${href("./record.ts")};
        import { writeFileSync } from "node:fs";
        const spec = { attempt: "run/a#1", role: "agent", argv: ["sh", "-c", "touch ran"], cwd: ${JSON.stringify(home)}, env: { PATH: "/usr/bin:/bin" }, deadlineMs: 1000, transcript: "" };
        const gate = await startGated(spec, new PipeMaker(${JSON.stringify(home)}));
        const records = new ProcessRecords(${JSON.stringify(home)});
        const pid = gate.child.pid;
        writeFileSync(${JSON.stringify(join(home, "pid"))}, String(pid));
        ${patch};
        records.write({ pid, startTime: processStartTime(pid), pgid: pid, role: "agent", attempt: "run/a#1", argv0: "sh" });
        gate.go();
      `;
      const result = spawnSync(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
      expect(result.signal, when).toBe("SIGKILL");
      const pid = Number(readFileSync(join(home, "pid"), "utf8"));
      await until(() => !isRunning(pid));
      expect(existsSync(join(home, "ran")), when).toBe(false);
      expect(await createLocalHost({ home, clock: { now: () => 0 }, mask: (text) => text }).endLeftovers("run/a#1")).toEqual([]);
    }
  });

  test("a process that was given the pid of a recorded one is left alone", async () => {
    const attempt = "run-1/test#1";
    const innocent = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
    try {
      const pid = innocent.pid as number;
      const records = join(folder, "processes", folderOf(attempt));
      mkdirSync(records, { recursive: true });
      writeFileSync(
        join(records, `${pid}.json`),
        JSON.stringify({ pid, startTime: "1", pgid: pid, role: "agent", attempt, argv0: "sleep" }),
      );
      expect(isAlive({ pid, startTime: "1" })).toBe(false);
      expect(await hostOf().endLeftovers(attempt)).toEqual([]);
      expect(isRunning(pid)).toBe(true);
    } finally {
      innocent.kill("SIGKILL");
    }
  });

  test("a group whose leader is gone and whose members do not carry the attempt's name is left alone", async () => {
    const attempt = "run-1/test#2";
    // A foreign group that was given the number of ours: its leader has gone, a member lives.
    const foreign = spawn("sh", ["-c", "sleep 1000 & echo $!"], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    const pgid = foreign.pid as number;
    const member = await new Promise<number>((resolve) => foreign.stdout.once("data", (data: Buffer) => resolve(Number(data))));
    try {
      await until(() => !isRunning(pgid));
      const records = join(folder, "processes", folderOf(attempt));
      mkdirSync(records, { recursive: true });
      writeFileSync(
        join(records, `${pgid}.json`),
        JSON.stringify({ pid: pgid, startTime: "1", pgid, role: "agent", attempt, argv0: "sh" }),
      );
      expect(await hostOf().endLeftovers(attempt)).toEqual([]);
      expect(isRunning(member)).toBe(true);
    } finally {
      process.kill(member, "SIGKILL");
    }
  });
});

describe("the cost of starting", () => {
  test("six at once and many in a row take few milliseconds each", async () => {
    const host = hostOf();
    await (await host.spawn(specOf("true"))).settle();
    const began = performance.now();
    const six = await Promise.all(Array.from({ length: 6 }, () => host.spawn(specOf("true"))));
    const started = performance.now() - began;
    await Promise.all(six.map((handle) => handle.settle()));
    const row = performance.now();
    for (let i = 0; i < 50; i++) await (await host.spawn(specOf("", { argv: ["true"] }))).settle();
    const each = (performance.now() - row) / 50;
    console.log(`six at once: ${started.toFixed(1)} ms; in a row: ${each.toFixed(1)} ms each`);
    // Generous: the machine is shared. The figures themselves are printed.
    expect(started).toBeLessThan(300);
    expect(each).toBeLessThan(100);
    expect(readdirSync(join(folder, "processes"), { recursive: true }).filter((name) => name !== ".pipes")).toEqual([]);
  });
});
