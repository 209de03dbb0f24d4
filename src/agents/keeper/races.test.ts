import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isAlive } from "../host/process.ts";
import type { KeeperHost } from "./contract.ts";
import { attemptFolder, makeAttemptFolder, readKeeper } from "./folder.ts";
import { keeperHost, specIn, texts, until, withMarker } from "./keeper.testkit.ts";
import type { FromKeeper, Order } from "./protocol.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

let folder: string;
let attempt: string;
let keepers: KeeperHost;
let counter = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-race-"));
  attempt = `race-${process.pid}/step#${++counter}`;
  keepers = keeperHost(folder);
});
afterEach(async () => {
  await keepers.forget(attempt);
  expect(withMarker(attempt), "no process is left").toEqual([]);
  expect(readdirSync(join(folder, "keepers"))).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

const host = (epoch: number, takeUp: boolean) => keepers.forAttempt({ attempt, epoch, takeUp });
const spec = (script: string) => specIn(folder, attempt, script);

/** A keeper as an engine starts one, with its order still to come. */
function keeperWithoutOrder(epoch = 1) {
  const at = join(makeAttemptFolder(folder, attempt), "1");
  mkdirSync(at);
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
    cwd: at,
    detached: true,
    env: { PATH: "/usr/bin:/bin", STEPFALL_KEEPER: attempt },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const order: Order = {
    attempt,
    epoch,
    home: folder,
    folder: at,
    socket: join(at, "socket"),
    spec: spec("touch ran; sleep 1000"),
    secrets: [],
    transcriptLimitBytes: 1e6,
    grace: { termMs: 200, intMs: 100 },
    beatMs: 50,
  };
  return { child, order: JSON.stringify(order), said: () => said, ended };
}
const ran = () => existsSync(join(folder, "ran"));

describe("a keeper whose engine dies while it starts it", () => {
  test("does nothing on half an order", async () => {
    const keeper = keeperWithoutOrder();
    keeper.child.stdin.end(keeper.order.slice(0, -1));
    await keeper.ended;
    expect([ran(), keeper.said(), keepers.kept(attempt)[0]?.keeper]).toEqual([false, "", undefined]);
    expect(keepers.kept(attempt)).toMatchObject([{ index: 1, state: { kind: "lost", evidence: "its keeper never put itself on record" } }]);
  });

  test("starts nothing when its attempt was ended before it was on record", async () => {
    const keeper = keeperWithoutOrder();
    expect(await keepers.endLeftovers(attempt)).toEqual([]);
    keeper.child.stdin.end(keeper.order);
    await keeper.ended;
    expect(ran()).toBe(false);
    expect(keeper.said()).toContain("AGENT_SUPERSEDED");
  });

  test("starts nothing when its attempt was forgotten, also when there is one of that name again", async () => {
    const keeper = keeperWithoutOrder();
    await keepers.forget(attempt);
    const handle = await host(1, false).spawn(spec("echo the other; sleep 1000"));
    keeper.child.stdin.end(keeper.order);
    await keeper.ended;
    expect(ran()).toBe(false);
    expect(readKeeper(join(attemptFolder(folder, attempt), "1"))?.keeper.pid).not.toBe(keeper.child.pid);
    expect(await handle.settle(AbortSignal.abort())).toMatchObject({ kind: "aborted" });
    expect(await texts(handle)).toEqual(["the other"]);
  });

  test("starts nothing when the next engine found no record of it and started another", async () => {
    const keeper = keeperWithoutOrder();
    const handle = await host(2, true).spawn(spec("echo the other; sleep 1000"));
    keeper.child.stdin.end(keeper.order);
    await keeper.ended;
    expect(ran()).toBe(false);
    await handle.settle(AbortSignal.abort());
    expect(await texts(handle)).toEqual(["the other"]);
  });

  test("has started the agent or never will when the next engine comes: one of both runs", async () => {
    const keeper = keeperWithoutOrder();
    keeper.child.stdin.end(keeper.order);
    await until(() => readKeeper(join(attemptFolder(folder, attempt), "1")));
    const handle = await host(2, true).spawn(spec("touch other; sleep 1000"));
    const other = () => existsSync(join(folder, "other"));
    await until(() => ran() || other());
    await sleep(50);
    expect([ran(), other()].filter(Boolean)).toHaveLength(1);
    expect(handle.process.pid).toBe(keepers.kept(attempt)[0]?.agent?.pid);
    await handle.settle(AbortSignal.abort());
  });
});

describe("who has the say", () => {
  test("an engine with an older epoch starts nothing any more, whatever there is", async () => {
    const handle = await host(2, false).spawn(spec("sleep 1000"));
    await expect(host(1, false).spawn(spec("touch ran"))).rejects.toMatchObject({ code: "AGENT_SUPERSEDED" });
    await expect(host(1, true).spawn(spec("touch ran"))).rejects.toMatchObject({ code: "AGENT_SUPERSEDED" });
    await expect(host(2, false).spawn(spec("touch ran"))).rejects.toMatchObject({ code: "AGENT_SUPERSEDED" });
    expect(await handle.settle(AbortSignal.abort())).toMatchObject({ kind: "aborted" });
    expect(ran()).toBe(false);
  });

  test("the keeper itself refuses an older epoch, and tells anybody how it is", async () => {
    const handle = await host(5, false).spawn(spec("echo hi; sleep 1000"));
    const heard: FromKeeper[] = [];
    const socket = connect(readKeeper(join(attemptFolder(folder, attempt), "1"))?.socket ?? "");
    socket.on("data", (chunk) =>
      heard.push(
        ...chunk
          .toString()
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as FromKeeper),
      ),
    );
    for (const message of [{ kind: "end" }, { kind: "status" }, { kind: "hello", epoch: 4 }, { kind: "end" }])
      socket.write(`${JSON.stringify(message)}\n`);
    await new Promise((resolve) => socket.once("close", resolve));
    expect(heard).toMatchObject([
      { kind: "status", beat: { keeperRssBytes: expect.any(Number) } },
      { kind: "superseded", epoch: 5 },
    ]);
    await sleep(100);
    expect(keepers.kept(attempt)[0]?.state).toEqual({ kind: "running" });
    expect(await handle.settle(AbortSignal.abort())).toMatchObject({ kind: "aborted" });
  });

  test("one that lets go is told nothing more, and the agent goes on", async () => {
    const one = host(1, false);
    const handle = await one.spawn(spec("echo hi; sleep 1000"));
    const settled = handle.settle();
    const reading = texts(handle);
    await until(() => keepers.kept(attempt)[0]?.lastBeat?.seq === 1);
    await one[Symbol.asyncDispose]();
    await expect(settled).rejects.toMatchObject({ code: "AGENT_LET_GO" });
    await reading;
    await expect(one.spawn(spec("touch ran"))).rejects.toMatchObject({ code: "AGENT_LET_GO" });
    expect(isAlive(handle.process)).toBe(true);
  });

  test("a process may be followed from any line, without being carried on", async () => {
    await using one = host(1, false);
    await one.spawn(spec("echo 1; echo 2; echo 3"));
    await until(() => keepers.kept(attempt)[0]?.state.kind === "ended");
    const handle = await host(1, true).attach(attempt, 2);
    expect(handle && (await texts(handle))).toEqual(["2", "3"]);
    expect(await host(1, true).attach("another", 1)).toBeUndefined();
  });
});

describe("what is to be ended", () => {
  test("keeper and agent are, with all its children, and nothing starts afterwards", async () => {
    const handle = await host(1, false).spawn(spec("setsid sleep 1000 & sleep 1000 & echo up; wait"));
    for await (const _ of handle.lines()) break;
    const [kept] = keepers.kept(attempt);
    const ended = (await keepers.endLeftovers(attempt)).map((record) => record.pid);
    expect(ended).toEqual(expect.arrayContaining([kept?.keeper?.pid, kept?.agent?.pid]));
    expect(withMarker(attempt)).toEqual([]);
    await expect(host(2, true).spawn(spec("touch ran"))).resolves.toBeDefined();
    await expect(host(2, false).spawn(spec("touch ran"))).rejects.toMatchObject({ code: "AGENT_SUPERSEDED" });
    expect(ran()).toBe(false);
  });

  test("a keeper that is stopped does not keep an abort waiting for ever", async () => {
    const handle = await host(1, false).spawn(spec("sleep 1000"));
    const keeper = keepers.kept(attempt)[0]?.keeper?.pid ?? 0;
    process.kill(keeper, "SIGSTOP");
    expect(await handle.settle(AbortSignal.abort())).toMatchObject({ kind: "aborted" });
    expect(withMarker(attempt)).toEqual([]);
  });

  test("an attempt that is forgotten while its agent runs is ended first", async () => {
    const handle = await host(1, false).spawn(spec("sleep 1000"));
    await keepers.forget(attempt);
    expect(isAlive(handle.process)).toBe(false);
    expect(keepers.list()).toEqual([]);
  });
});
