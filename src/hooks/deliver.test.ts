import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { HookCall } from "../config/index.ts";
import type { RunEvent } from "../domain/index.ts";
import type { Payload } from "./contract.ts";
import { HookHome } from "./home.testkit.ts";
import { startReceiver, type Receiver } from "../engine/receiver.testkit.ts";

const PATIENT = 60_000;
const finished = (outcome: "succeeded" | "failed"): RunEvent => ({ type: "RunFinished", data: { outcome } });
const webhook = (receiver: Pick<Receiver, "url">, headers: Record<string, string> = {}): HookCall => ({
  kind: "webhook",
  url: `${receiver.url}/hook`,
  headers,
});
const payloads = ({ received }: Receiver): Payload[] => received.map((r) => r.body as Payload);
const command = (text: string, secrets: readonly string[] = []): HookCall => ({ kind: "command", command: text, secrets });

describe("what hooks are told", { timeout: 4 * PATIENT }, () => {
  test("a command gets the event with the run as it was then on its stdin, and none of our environment", async () => {
    await using home = new HookHome();
    home.secrets.set("CHAT", "the-secret-of-chat");
    const call = command("cat > seen.json; env > env.txt", ["CHAT"]);
    await using deliverer = await home.deliverer([{ on: ["RunFinished"], call }]);
    await home.record("r1", finished("succeeded"));
    expect(await deliverer.flush(PATIENT)).toEqual({ waiting: [] });
    const seen = JSON.parse(readFileSync(join(home.folder, "seen.json"), "utf8")) as Payload;
    expect(seen).toMatchObject({
      version: 1,
      hook: "tell",
      globalSeq: 2,
      event: { type: "RunFinished", data: { outcome: "succeeded" }, version: 2, stream: "run:r1" },
      run: { id: "r1", pipeline: "release", status: "succeeded" },
      step: null,
    });
    const env = readFileSync(join(home.folder, "env.txt"), "utf8");
    expect(env).toMatch(/^CHAT=the-secret-of-chat$/m);
    expect(env).toMatch(/^STEPFALL_EVENT=RunFinished$/m);
    expect(env.split("\n").filter((l) => !/^(?:PATH|CHAT|STEPFALL_EVENT|STEPFALL_RUN|PWD|SHLVL|OLDPWD|_)=/.test(l) && l !== "")).toEqual(
      [],
    );
  });

  test("a webhook gets only what its filter lets through, in order, with secret headers", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    home.secrets.set("KEY", "the-secret-key");
    const call = webhook(receiver, { Authorization: "Bearer ${{ secrets.KEY }}" });
    const filter = "event.type == 'RunStarted' || (event.data.outcome == 'failed' && run.pipeline == 'release')";
    await using deliverer = await home.deliverer([{ on: ["RunStarted", "RunFinished"], if: filter, call }]);
    await home.record("r1", finished("succeeded"));
    await home.record("r2", finished("failed"));
    await deliverer.flush(PATIENT);
    expect(payloads(receiver).map((p) => [p.event.type, p.run?.id])).toEqual([
      ["RunStarted", "r1"],
      ["RunStarted", "r2"],
      ["RunFinished", "r2"],
    ]);
    expect(receiver.received[0]?.headers.authorization).toBe("Bearer the-secret-key");
  });

  test("a secret in an event, or in what a command prints, is not in what is sent and not in what is kept", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    home.secrets.set("KEY", "the-secret-key");
    await using deliverer = await home.deliverer([
      { name: "web", on: ["CancelRequested"], call: webhook(receiver) },
      { name: "bad", on: ["CancelRequested"], call: command("echo $KEY >&2; exit 1", ["KEY"]), retries: 0 },
    ]);
    await home.record("r1", { type: "CancelRequested", data: { reason: "leaks the-secret-key" } });
    await deliverer.flush(PATIENT);
    expect(JSON.stringify(payloads(receiver))).toContain("leaks ***");
    const [dead] = home.letters.list("dead");
    expect(dead).toMatchObject({ callee: { name: "bad" }, lastError: "exit code 1: ***" });
    expect(JSON.stringify(dead)).not.toContain("the-secret-key");
  });

  test("what happened before hooks were used is not told", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    await home.record("old", finished("failed"));
    await using deliverer = await home.deliverer([{ call: webhook(receiver) }]);
    await home.record("new");
    await deliverer.flush(PATIENT);
    expect(payloads(receiver).map((p) => p.run?.id)).toEqual(["new"]);
  });
});

describe("what does not arrive", { timeout: 4 * PATIENT }, () => {
  test("is tried again, and holds back what comes after it for the same hook alone", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    await using other = await startReceiver();
    let fails = 2;
    receiver.answer = () => ({ status: fails-- > 0 ? 503 : 200 });
    await using deliverer = await home.deliverer([
      { name: "slow", on: ["RunStarted", "RunFinished"], call: webhook(receiver) },
      { name: "well", on: ["RunFinished"], call: webhook(other) },
    ]);
    await home.record("r1", finished("succeeded"));
    expect(await deliverer.flush(PATIENT)).toEqual({ waiting: [] });
    expect(payloads(receiver).map((p) => p.event.type)).toEqual(["RunStarted", "RunStarted", "RunStarted", "RunFinished"]);
    expect(payloads(other)).toHaveLength(1);
  });

  test("is given up on and kept; a later process sends it on request", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    receiver.answer = () => ({ status: 500, body: "no room" });
    {
      await using deliverer = await home.deliverer([{ on: ["RunStarted", "RunFinished"], call: webhook(receiver) }]);
      await home.record("r1", finished("succeeded"));
      await deliverer.flush(PATIENT);
    }
    expect(home.letters.list("dead").map((l) => [l.payload.event.type, l.tries, l.lastError])).toEqual([
      ["RunStarted", 3, "HTTP 500: no room"],
      // The hook was found to be down: what follows has one try.
      ["RunFinished", 1, "HTTP 500: no room"],
    ]);
    expect(home.notices).toEqual(["hook tell: RunStarted was not delivered after 3 tries: HTTP 500: no room"]);
    receiver.answer = () => ({ status: 200 });
    const before = receiver.received.length;
    expect(home.letters.revive()).toBe(2);
    await using again = await home.deliverer([]);
    expect(await again.flush(PATIENT)).toEqual({ waiting: [] });
    expect(
      payloads(receiver)
        .slice(before)
        .map((p) => p.event.type),
    ).toEqual(["RunStarted", "RunFinished"]);
    expect(home.letters.list("dead")).toEqual([]);
  });

  test("a command that hangs is ended with its children", async () => {
    await using home = new HookHome();
    const call = command("sleep 300 & echo $! > child.pid; wait");
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call, timeoutMs: 1500, retries: 0 }]);
    await home.record("r1");
    await deliverer.flush(PATIENT);
    expect(home.letters.list("dead")[0]?.lastError).toBe("gave no answer within 1500 ms");
    const pid = readFileSync(join(home.folder, "child.pid"), "utf8").trim();
    const isRunning = (): boolean => existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    await expect.poll(isRunning, { timeout: 10_000 }).toBe(false);
  });

  test("a webhook that leads elsewhere is not followed: its headers are for one address", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    await using elsewhere = await startReceiver();
    receiver.answer = () => ({ status: 307 });
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call: webhook(receiver), retries: 0 }]);
    await home.record("r1");
    await deliverer.flush(PATIENT);
    expect(home.letters.list("dead")).toHaveLength(1);
    expect(elsewhere.received).toEqual([]);
  });

  test("a secret that this process does not have leaves the letter to one that has it", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    const hooks = [{ on: ["RunStarted"], call: webhook(receiver, { "X-Key": "${{ secrets.KEY }}" }) }];
    {
      await using deliverer = await home.deliverer(hooks);
      await home.record("r1");
      const { waiting } = await deliverer.flush(PATIENT);
      expect(waiting).toMatchObject([{ tries: 0, lastError: "the secret KEY is not set here" }]);
    }
    home.secrets.set("KEY", "now-it-is-here");
    await using second = await home.deliverer(hooks);
    expect(await second.flush(PATIENT)).toEqual({ waiting: [] });
    expect(receiver.received[0]?.headers["x-key"]).toBe("now-it-is-here");
  });
});

describe("several processes", { timeout: 4 * PATIENT }, () => {
  test("one delivers for all, and another one goes on when it has ended", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    const hooks = [{ on: ["RunFinished"], call: webhook(receiver) }];
    const first = await home.deliverer(hooks, { holder: "first" });
    await using second = await home.deliverer(hooks, { holder: "second" });
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        await home.record(`r${i}`, finished("succeeded"));
        first.kick();
        if (i > 0) second.kick();
      }),
    );
    await first.flush(PATIENT);
    await second.flush(PATIENT);
    expect(
      payloads(receiver)
        .map((p) => p.globalSeq)
        .toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    ).toHaveLength(10);
    expect(new Set(payloads(receiver).map((p) => p.globalSeq)).size).toBe(10);
    await first[Symbol.asyncDispose]();
    await home.record("last", finished("failed"));
    expect(await second.flush(PATIENT)).toEqual({ waiting: [] });
    expect(payloads(receiver).at(-1)?.run?.id).toBe("last");
  });

  test("what one cannot deliver another one does, while the first lives on", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    const hooks = [{ on: ["RunStarted"], call: webhook(receiver, { "X-Key": "${{ secrets.KEY }}" }) }];
    await using first = await home.deliverer(hooks, { holder: "first" });
    await home.record("r1");
    await first.flush(PATIENT);
    expect(receiver.received).toEqual([]);
    home.secrets.set("KEY", "only-the-second-has-it");
    await using second = await home.deliverer(hooks, { holder: "second" });
    expect(await second.flush(PATIENT, { alsoElsewhere: true })).toEqual({ waiting: [] });
    expect(receiver.received).toHaveLength(1);
  });
});

describe("an engine that is killed", { timeout: 8 * PATIENT }, () => {
  test("loses no delivery, and of each hook doubles the one at most that was under way, and says so by its place in the journal", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    const taken: (number | undefined)[] = [];
    let hold: "nothing" | "before it acts" | "after it acted" = "nothing";
    let held = 0;
    receiver.answer = ({ body }) => {
      const { globalSeq } = body as Payload;
      if (hold !== "before it acts") taken.push(globalSeq);
      if (hold === "nothing") return { status: 200 };
      // The next ones would be taken only if the engine sent a second one before it had heard of the first.
      held += 1;
      return new Promise(() => undefined);
    };
    const kills = ["before it acts", "after it acted", "before it acts"] as const;
    for (const [round, when] of kills.entries()) {
      const before = taken.length;
      const program = join(import.meta.dirname, "deliver.child.testkit.ts");
      const child = spawn(process.execPath, [program, home.folder, receiver.url, `round${round}`], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      await expect.poll(() => taken.length, { timeout: PATIENT, interval: 5 }).toBeGreaterThan(before + 5 * (round + 1));
      hold = when;
      await expect.poll(() => held, { timeout: PATIENT, interval: 5 }).toBe(round + 1);
      child.kill("SIGKILL");
      await once(child, "exit");
      hold = "nothing";
    }
    // The same hook: one of another definition has deliveries of its own.
    const call: HookCall = { kind: "webhook", url: receiver.url, headers: {} };
    await using deliverer = await home.deliverer([{ on: ["RunFinished"], call }]);
    expect(await deliverer.flush(PATIENT)).toEqual({ waiting: [] });
    const finishedRuns = (await (await home.store()).readAll({ types: ["RunFinished"] })).map((e) => e.globalSeq);
    expect(new Set(taken)).toEqual(new Set(finishedRuns));
    expect(taken.length - new Set(taken).size).toBe(kills.filter((when) => when === "after it acted").length);
  });
});

describe("notifications", { timeout: 4 * PATIENT }, () => {
  const opened: RunEvent = {
    type: "InboxOpened",
    data: {
      item: "r1/deploy!1",
      step: "deploy",
      kind: "approval",
      title: "Deploy <!channel> to production & tell?",
      choices: [],
      who: [],
      count: 1,
    },
  };

  test("a Slack webhook is told once what waits, of which run, and how to answer", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    home.secrets.set("ROOM", `${receiver.url}/services/x`);
    await using deliverer = await home.deliverer([], { notify: { desktop: false, webhookSecret: "ROOM" } });
    await home.record("r1", opened);
    await deliverer.flush(PATIENT);
    await deliverer.flush(PATIENT);
    expect(receiver.received).toMatchObject([
      {
        path: "/services/x",
        body: {
          text: "An approval waits in release\nDeploy &lt;!channel&gt; to production &amp; tell?\nStep deploy of run r1. Answer with: stepfall approve 'r1/deploy!1' (or reject)",
        },
      },
    ]);
  });

  test("a desktop is told by its own program; where there is none, that is said once and nothing is kept", async () => {
    await using home = new HookHome();
    const program = join(home.folder, "notify-send");
    writeFileSync(program, '#!/bin/sh\nfor a; do printf "%s\\n" "$a"; done >> "$(dirname "$0")/told.txt"\n', { mode: 0o755 });
    const notify = { desktop: true };
    const path = process.env["PATH"];
    process.env["PATH"] = `${home.folder}:${path}`;
    try {
      await using deliverer = await home.deliverer([], { notify });
      await home.record("r1", opened);
      await deliverer.flush(PATIENT);
    } finally {
      process.env["PATH"] = path;
    }
    const told = readFileSync(join(home.folder, "told.txt"), "utf8");
    expect(told).toContain("An approval waits in release\nDeploy &lt;!channel&gt; to production &amp; tell?\n");
    process.env["PATH"] = "/nowhere";
    try {
      await using deliverer = await home.deliverer([], { notify });
      await home.record("r2", opened, opened);
      expect(await deliverer.flush(PATIENT)).toEqual({ waiting: [] });
    } finally {
      process.env["PATH"] = path;
    }
    expect(home.notices).toEqual(["hook notify-desktop: neither notify-send nor osascript is in the PATH"]);
  });
});
