import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentHandle, SpawnSpec } from "../contract.ts";
import { isAlive, processStartTime } from "../host/process.ts";
import { folderOf } from "../host/record.ts";
import type { KeeperHost } from "./contract.ts";
import { clock, keeperHost, specIn, texts, until, withMarker } from "./keeper.testkit.ts";

let folder: string;
let attempt: string;
let keepers: KeeperHost;
let counter = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-keeper-"));
  attempt = `run-${process.pid}/step#${++counter}`;
  keepers = keeperHost(folder);
});
afterEach(async () => {
  await keepers.forget(attempt);
  expect(withMarker(attempt), "no process is left").toEqual([]);
  expect(keepers.list()).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

const spec = (script: string, more: Partial<SpawnSpec> = {}) => specIn(folder, attempt, script, more);
const first = (more: { epoch?: number } = {}) => keepers.forAttempt({ attempt, epoch: 1, takeUp: false, ...more });
const next = (epoch = 2) => keepers.forAttempt({ attempt, epoch, takeUp: true });
const run = (script: string, more: Partial<SpawnSpec> = {}): Promise<AgentHandle> => first().spawn(spec(script, more));
const onDisk = () =>
  readFileSync(spec("").transcript, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { seq: number; text: string });

describe("keepers that are started ahead of time", () => {
  const spares = () =>
    readdirSync("/proc")
      .filter((pid) => /^\d+$/.test(pid))
      .map(Number)
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/cwd`) === join(folder, "keepers");
        } catch {
          return false;
        }
      });

  test("take the next orders, and end when nobody needs them", async () => {
    keepers.prepare(2);
    keepers.prepare(2);
    await until(() => spares().length === 2);
    const [one, other] = spares();
    const handle = await run("echo $PPID; sleep 1000");
    expect([one, other]).toContain(keepers.kept(attempt)[0]?.keeper?.pid);
    expect(spares().length).toBe(1);
    keepers[Symbol.dispose]();
    await until(() => spares().length === 0);
    await handle.settle(AbortSignal.abort());
  });

  test("that were killed meanwhile are passed over", async () => {
    keepers.prepare(1);
    const [spare] = await until(() => (spares().length === 1 ? spares() : undefined));
    process.kill(spare as number, "SIGKILL");
    const handle = await run("echo done");
    expect(await texts(handle)).toEqual(["done"]);
    expect(await handle.settle()).toMatchObject({ kind: "exited", code: 0 });
  });
});

describe("a kept process", () => {
  test("is like one of the local host: lines, exit, and its children gone", async () => {
    const handle = await run("echo one; echo two >&2; setsid sleep 1000 & echo $!; exit 4");
    const said = await texts(handle);
    expect(await handle.settle()).toMatchObject({ kind: "exited", code: 4 });
    expect(said.toSorted()).toContain("one");
    expect(processStartTime(Number(said.find((text) => /^\d+$/.test(text))))).toBeUndefined();
    expect(onDisk().map((line) => line.seq)).toEqual([1, 2, 3]);
    expect(handle.caughtUpAt).toBeUndefined();
  });

  test("gets its environment and the attempt's name, and the keeper's own is nearly empty", async () => {
    const handle = await run("env; echo told; exec sleep 1000", { env: { PATH: "/usr/bin:/bin", KEY: "sk-secret" } });
    const keeper = await until(() => keepers.kept(attempt)[0]?.keeper);
    for await (const { text } of handle.lines()) if (text === "told") break;
    expect(readFileSync(`/proc/${keeper.pid}/environ`, "utf8").split("\0").filter(Boolean).toSorted()).toEqual([
      "PATH=/usr/bin:/bin",
      "STEPFALL_KEEPER=1",
    ]);
    expect(await handle.settle(AbortSignal.abort())).toMatchObject({ kind: "aborted" });
    // `sh` is asked for it, and adds where it is.
    expect((await texts(handle)).slice(0, -1).toSorted()).toEqual([
      "KEY=sk-secret",
      "PATH=/usr/bin:/bin",
      `PWD=${folder}`,
      `STEPFALL_ATTEMPT=${attempt}`,
    ]);
  });

  test("that cannot be started says so", async () => {
    const missing = await run("", { argv: ["no-such-agent"] });
    expect(await missing.settle()).toMatchObject({ kind: "unstartable", message: "no-such-agent: not found" });
    expect(await texts(missing)).toEqual([]);
    await keepers.forget(attempt);
    const nowhere = await run("", { cwd: join(folder, "nowhere") });
    expect(await nowhere.settle()).toMatchObject({ kind: "unstartable" });
    expect(nowhere.process.pid).toBe(0);
    expect(await texts(nowhere)).toEqual([]);
  });

  test("is masked by its keeper", async () => {
    keepers = keeperHost(folder, { secrets: () => ["sk-1234567890"] });
    const handle = await run("read a; echo the key is $KEY; echo $a", { env: { KEY: "sk-1234567890" }, stdin: "open" });
    await handle.send("sk-1234567890\n");
    expect(await texts(handle)).toEqual(["the key is ***", "***"]);
    await handle.settle();
  });

  test("is ended at its deadline though no engine is there", async () => {
    const host = first();
    await host.spawn(spec("sleep 1000 & echo $!; trap '' TERM INT; wait; sleep 1000", { deadlineMs: 400 }));
    await host[Symbol.asyncDispose]();
    await until(() => keepers.kept(attempt)[0]?.state.kind === "ended");
    expect(keepers.kept(attempt)[0]?.state).toMatchObject({ kind: "ended", exit: { kind: "deadline" } });
    expect(withMarker(`STEPFALL_ATTEMPT=${attempt}`)).toEqual([]);
  });

  test("gives signs of life, with what it holds of memory", async () => {
    const before = clock.now();
    const handle = await run("echo hi; exec sleep 1000");
    const beat = await until(() => {
      const last = keepers.kept(attempt)[0]?.lastBeat;
      return last?.seq === 1 && last;
    });
    expect(beat.at).toBeGreaterThanOrEqual(before);
    expect(beat.lastOutputAt).toBeGreaterThanOrEqual(before);
    expect(beat.agentRssBytes).toBeGreaterThan(100_000);
    expect(beat.keeperRssBytes).toBeGreaterThan(10_000_000);
    await handle.settle(AbortSignal.abort());
  });

  test("leaves nothing that others could read or use", async () => {
    const handle = await run("read a; echo $a; sleep 1000", { stdin: "open" });
    await handle.send("hello\n");
    const at = join(folder, "keepers", folderOf(attempt));
    const mode = (path: string) => (statSync(join(at, path)).mode & 0o777).toString(8);
    expect(["", "1", "1/socket", "1/inputs.ndjson", "1/keeper.json", "1/agent.json"].map(mode)).toEqual([
      "700",
      "700",
      "600",
      "600",
      "600",
      "600",
    ]);
    await handle.settle(AbortSignal.abort());
  });

  test(
    "whose keeper is killed as soon as it is there is lost with it, whether or not its agent had begun",
    { timeout: 60_000 },
    async () => {
      for (let n = 0; n < 6; n++) {
        let isOver = false;
        const lost = run("sleep 1000")
          .then((handle) => handle.settle())
          .catch((error: { code?: string }) => error.code)
          .finally(() => (isOver = true));
        while (!isOver) {
          const keeper = keepers.kept(attempt)[0]?.keeper;
          if (keeper && isAlive(keeper)) process.kill(keeper.pid, "SIGKILL");
          // Later each time: in the middle of its start, and after it.
          await new Promise((resolve) => setTimeout(resolve, n));
        }
        expect(await lost).toBe("AGENT_KEEPER_LOST");
        expect(withMarker(attempt)).toEqual([]);
        await keepers.forget(attempt);
        attempt = `run-${process.pid}/step#${++counter}`;
      }
    },
  );

  test("whose keeper was killed between its last record and the folder around it leaves neither", async () => {
    await (await run("echo hello")).settle();
    const records = join(folder, "processes", folderOf(attempt));
    mkdirSync(records, { recursive: true });
    await keepers.forget(attempt);
    expect(existsSync(records)).toBe(false);
  });

  test("is reached in a home with a long path, too", async () => {
    const home = join(folder, "h".repeat(120));
    const long = keeperHost(home);
    const handle = await long.forAttempt({ attempt, epoch: 1, takeUp: false }).spawn(spec("echo hi; sleep 1000"));
    const again = await long.forAttempt({ attempt, epoch: 2, takeUp: true }).spawn(spec(""));
    for await (const line of again.lines()) {
      expect(line.text).toBe("hi");
      break;
    }
    await expect(handle.settle()).rejects.toMatchObject({ code: "AGENT_SUPERSEDED" });
    await again.settle(AbortSignal.abort());
    const short = readFileSync(join(home, "keepers", folderOf(attempt), "1", "socket-folder"), "utf8");
    await long.forget(attempt);
    expect(existsSync(short)).toBe(false);
  });
});

describe("taken up by the next engine", () => {
  test("a running process tells all from its first line, takes no input twice, and its first engine has no say any more", async () => {
    const one = await run("read a; echo got $a; read b; echo got $b; sleep 0.1", { stdin: "open" });
    await one.send("first\n");
    for await (const line of one.lines()) if (line.text === "got first") break;
    const two = await next().spawn(spec(""));
    expect(two.process).toEqual(one.process);
    expect(two.inputs).toEqual(["first\n"]);
    expect(two.caughtUpAt).toBe(1);
    await expect(one.send("evil\n")).rejects.toMatchObject({ code: "AGENT_SUPERSEDED" });
    await expect(one.settle()).rejects.toMatchObject({ code: "AGENT_SUPERSEDED" });
    await two.send("first\n");
    await two.send("second\n");
    expect(await texts(two)).toEqual(["got first", "got second"]);
    expect(await two.settle()).toMatchObject({ kind: "exited", code: 0 });
  });

  test("a process that ended while nobody was there has its exit and all its lines", async () => {
    const host = first();
    await host.spawn(spec("echo a; sleep 0.2; echo b; exit 3"));
    await host[Symbol.asyncDispose]();
    await until(() => keepers.kept(attempt)[0]?.state.kind === "ended");
    await until(() => !isAlive(keepers.kept(attempt)[0]?.keeper ?? { pid: 0, startTime: "" }));
    const later = await next().spawn(spec(""));
    expect(await later.settle()).toMatchObject({ kind: "exited", code: 3 });
    expect(await texts(later)).toEqual(["a", "b"]);
  });

  test("after those that are there, further ones are started", async () => {
    const host = first();
    await (await host.spawn(spec("echo one"))).settle();
    const again = next();
    expect(await texts(await again.spawn(spec("echo never")))).toEqual(["one"]);
    const second = await again.spawn(spec("echo two"));
    expect(await texts(second)).toEqual(["two"]);
    expect(await second.settle()).toMatchObject({ kind: "exited" });
    expect(onDisk().map(({ seq, text }) => `${seq} ${text}`)).toEqual(["1 one", "2 two"]);
    const third = next(3);
    expect(await texts(await third.spawn(spec("")))).toEqual(["one"]);
    expect(await texts(await third.spawn(spec("")))).toEqual(["two"]);
  });
});
