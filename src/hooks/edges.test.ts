import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { HookCall } from "../config/index.ts";
import type { RunEvent } from "../domain/index.ts";
import { startReceiver } from "../engine/receiver.testkit.ts";
import { LONGEST_PAUSE_MS, pauseBefore } from "./backoff.ts";
import type { Payload } from "./contract.ts";
import { HookHome } from "./home.testkit.ts";
import { noticeOf } from "./notice.ts";
import { payloadOf } from "./payload.ts";

const PATIENT = 60_000;
const command = (text: string, secrets: readonly string[] = []): HookCall => ({ kind: "command", command: text, secrets });
const webhook = (url: string): HookCall => ({ kind: "webhook", url, headers: {} });
const opened = (title: string): RunEvent => ({
  type: "InboxOpened",
  data: { item: "r1/deploy!1", step: "deploy", kind: "approval", title, choices: [], who: [], count: 1 },
});

describe("a command", { timeout: 2 * PATIENT }, () => {
  test("that leaves something running in the background has answered when it ends, and is called once", async () => {
    await using home = new HookHome();
    const call = command("echo told >> told.txt; sleep 40 & echo $! > child.pid");
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call, timeoutMs: 15_000 }]);
    const began = performance.now();
    await home.record("r1");
    expect(await deliverer.flush(PATIENT)).toEqual({ waiting: [] });
    expect(performance.now() - began).toBeLessThan(12_000);
    expect(readFileSync(join(home.folder, "told.txt"), "utf8")).toBe("told\n");
    expect(home.letters.list("dead")).toEqual([]);
    // What it has left is its own: it is not ended.
    const pid = Number(readFileSync(join(home.folder, "child.pid"), "utf8"));
    expect(() => process.kill(pid, 0)).not.toThrow();
    process.kill(pid, "SIGKILL");
  });

  test("that hears no TERM, and prints without end, is ended at its time, and its words are cut", async () => {
    await using home = new HookHome();
    const call = command("trap '' TERM INT HUP; yes the-noise");
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call, timeoutMs: 1500, retries: 0 }]);
    await home.record("r1");
    const before = process.memoryUsage().rss;
    await deliverer.flush(PATIENT);
    expect(home.letters.list("dead")[0]?.lastError).toBe("gave no answer within 1500 ms");
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  test("that is ended from outside, or that the system cannot begin, has not been told", async () => {
    await using home = new HookHome();
    await using deliverer = await home.deliverer([
      { name: "killed", on: ["RunStarted"], call: command("kill -KILL $$"), retries: 0 },
      { name: "large", on: ["RunStarted"], call: command(`: ${"x".repeat(200_000)}`), retries: 0 },
    ]);
    await home.record("r1");
    await deliverer.flush(PATIENT);
    const dead = Object.fromEntries(home.letters.list("dead").map((l) => [l.callee.name, l.lastError]));
    expect(dead).toEqual({ killed: "was ended by SIGKILL", large: expect.stringMatching(/E2BIG/) as string });
  });

  test("whose words are cut shows no part of a secret", async () => {
    await using home = new HookHome();
    home.secrets.set("KEY", "the-secret-key-that-is-cut");
    // 2,000 characters are kept: the beginning of the secret is not among them, its end would be.
    const call = command(`printf '%s' "$KEY"; i=0; while [ $i -lt 1990 ]; do printf x; i=$((i+1)); done; exit 1`, ["KEY"]);
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call, retries: 0 }]);
    await home.record("r1");
    await deliverer.flush(PATIENT);
    expect(home.letters.list("dead")[0]?.lastError).not.toMatch(/key-that|is-cut|s-cut|-cut/);
  });
});

/** A server that has every request answered by hand. */
async function rawServer(answer: Parameters<typeof createServer>[1]): Promise<{ url: string } & AsyncDisposable> {
  const server: Server = createServer(answer ?? (() => undefined));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

describe("a webhook", { timeout: 2 * PATIENT }, () => {
  test("that says 200 and never ends its answer has been told, once", async () => {
    await using home = new HookHome();
    let asked = 0;
    await using server = await rawServer((_, response) => {
      asked += 1;
      response.writeHead(200).write("thank");
    });
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call: webhook(server.url), timeoutMs: 800 }]);
    await home.record("r1");
    expect(await deliverer.flush(PATIENT)).toEqual({ waiting: [] });
    expect(asked).toBe(1);
    expect(home.letters.list("dead")).toEqual([]);
  });

  test("that leads elsewhere says so, and nobody is asked there", async () => {
    await using home = new HookHome();
    await using elsewhere = await startReceiver();
    await using server = await rawServer((_, response) => response.writeHead(302, { location: `${elsewhere.url}/meta-data` }).end());
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call: webhook(server.url), retries: 0 }]);
    await home.record("r1");
    await deliverer.flush(PATIENT);
    expect(home.letters.list("dead")[0]?.lastError).toBe("HTTP 302: it leads elsewhere, and is not followed; write the new address");
    expect(elsewhere.received).toEqual([]);
  });

  test("that hangs, sends without end, or is nobody, is given up on in time", async () => {
    await using home = new HookHome();
    await using silent = await rawServer(() => undefined);
    await using endless = await rawServer((_, response) => {
      response.writeHead(500);
      const send = (): void => {
        while (response.write("x".repeat(65_536)) && !response.destroyed);
        response.once("drain", send);
      };
      send();
    });
    const common = { on: ["RunStarted"], timeoutMs: 1200, retries: 0 };
    await using deliverer = await home.deliverer([
      { ...common, name: "silent", call: webhook(silent.url) },
      { ...common, name: "endless", call: webhook(endless.url) },
      { ...common, name: "nobody", call: webhook("http://127.0.0.1:9") },
    ]);
    await home.record("r1");
    await deliverer.flush(PATIENT);
    const dead = Object.fromEntries(home.letters.list("dead").map((l) => [l.callee.name, l.lastError]));
    expect(dead["silent"]).toBe("gave no answer within 1200 ms");
    expect(dead["endless"]).toMatch(/^HTTP 500: x+$/);
    expect(dead["endless"]?.length).toBeLessThan(2100);
    expect(dead["nobody"]).toMatch(/./);
  });
});

describe("what goes wrong here", { timeout: 2 * PATIENT }, () => {
  test("a title that no program can be given does not keep the processor busy, nor what comes after it away", async () => {
    await using home = new HookHome();
    const program = join(home.folder, "notify-send");
    writeFileSync(program, '#!/bin/sh\nprintf "%s\\n" "$@" >> "$(dirname "$0")/told.txt"\n', { mode: 0o755 });
    const path = process.env["PATH"];
    process.env["PATH"] = `${home.folder}:${path}`;
    try {
      await using deliverer = await home.deliverer([], { notify: { desktop: true } });
      await home.record("r1", opened("one\u0000two\u001b[2Jthree"), opened("another"));
      expect(await deliverer.flush(15_000)).toEqual({ waiting: [] });
    } finally {
      process.env["PATH"] = path;
    }
    const told = readFileSync(join(home.folder, "told.txt"), "utf8");
    expect(told).toContain("one two [2Jthree");
    expect(told).toContain("another");
  });

  test("a letter whose file cannot be written any more is not sent over and over meanwhile", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    receiver.answer = () => {
      // As a disk that is full: what became of the letter cannot be noted.
      for (const { id } of home.letters.list("pending"))
        mkdirSync(join(home.folder, "hooks", "pending", `${id}.json.${process.pid}.new`), { recursive: true });
      return { status: 503 };
    };
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call: webhook(receiver.url) }]);
    await home.record("r1");
    deliverer.kick();
    await expect.poll(() => receiver.received.length, { timeout: PATIENT }).toBeGreaterThan(0);
    await sleep(2500);
    expect(receiver.received.length).toBeLessThan(6);
  });

  test("a file that is no letter, or one of another version, is left where it lies and counted", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    await using deliverer = await home.deliverer([{ on: ["RunStarted"], call: webhook(receiver.url) }]);
    const folder = join(home.folder, "hooks", "pending");
    writeFileSync(join(folder, "000000000000001-aaaaaaaaaaaa.json"), '{"version":1,"id":"0000');
    writeFileSync(join(folder, "000000000000002-aaaaaaaaaaaa.json"), '{"version":7,"id":"x"}');
    writeFileSync(join(folder, "000000000000003-aaaaaaaaaaaa.json"), '{"version":1,"id":"000000000000003-aaaaaaaaaaaa","callee":{}}');
    await home.record("r1");
    expect(await deliverer.flush(PATIENT)).toEqual({ waiting: [] });
    expect(receiver.received).toHaveLength(1);
    expect(home.letters.unreadable()).toBe(3);
  });

  test("a secret is hidden in keys of what is sent, too, and a key of JavaScript's own is one like others", () => {
    const data = JSON.parse('{"reason":"x","the-secret-key":{"__proto__":"the-secret-key"}}') as { reason: string };
    const recorded = { at: 1, version: 1, actor: "engine", stream: "run:r1", event: { type: "CancelRequested" as const, data } };
    const sent = payloadOf("h", { recorded }, (text) => text.replaceAll("the-secret-key", "***"));
    expect(JSON.stringify(sent.event.data)).toBe('{"reason":"x","***":{"__proto__":"***"}}');
  });

  test("dead letters of a hook that is down for weeks do not fill the disk: the oldest go, and that is said", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    receiver.answer = () => ({ status: 500 });
    await using deliverer = await home.deliverer([{ on: ["CancelRequested"], call: webhook(receiver.url), retries: 0 }], { mostDead: 5 });
    await home.record("r1", ...Array.from({ length: 8 }, (_, i): RunEvent => ({ type: "CancelRequested", data: { reason: `n${i}` } })));
    await deliverer.flush(PATIENT);
    const left = home.letters.list("dead").map((l) => (l.payload as Payload & { event: { data: { reason: string } } }).event.data.reason);
    expect(left).toEqual(["n3", "n4", "n5", "n6", "n7"]);
    expect(home.notices.join("\n")).toMatch(/more than 5 .* the oldest/);
  });
});

test("the pause before a further try is doubled, and never more than an hour, whatever the settings say", () => {
  expect([1, 2, 3].map((tries) => pauseBefore({ backoffMs: 1000, tries }))).toEqual([1000, 2000, 4000]);
  // Beyond 2^31 ms a timer of Node's ends at once.
  expect(pauseBefore({ backoffMs: 86_400_000, tries: 20 })).toBe(LONGEST_PAUSE_MS);
  expect(pauseBefore({ backoffMs: 0, tries: 20 })).toBe(0);
});

describe("a notification", () => {
  const payload = (step: string, title = "Ship it?") =>
    ({
      event: { type: "InboxOpened", data: { item: `r1/${step}!1`, step, kind: "approval", title, choices: [] } },
      run: { id: "r1", pipeline: "release" },
    }) as unknown as Payload;
  const linkIn = (step: string): string =>
    /Answer at (\S+) or/.exec(noticeOf(payload(step), { program: "stepfall", dashboard: "http://127.0.0.1:7788" }).text)?.[1] ?? "";

  test("leads to the step in the dashboard, as the dashboard itself would write it", () => {
    expect(linkIn("deploy")).toBe("http://127.0.0.1:7788/runs/r1?step=deploy");
    expect(new URL(linkIn("each/a b&c=d#1")).searchParams.get("step")).toBe("each/a b&c=d#1");
    // What would be read back as a number, or as a word of JSON, is quoted.
    for (const step of ["7", "1e3", "true", "null"]) expect(JSON.parse(new URL(linkIn(step)).searchParams.get("step") ?? "")).toBe(step);
    expect(noticeOf(payload("deploy"), { program: "stepfall", dashboard: undefined }).text).toContain("Answer with: stepfall approve");
  });

  test("is short, and of one line each, whatever the title is", () => {
    const { title, text } = noticeOf(payload("s".repeat(5000), `a\u001b]8;;http://evil\u0007${"t".repeat(5000)}\n\n\nb`), {
      program: "stepfall",
      dashboard: undefined,
    });
    expect(`${title}\n${text}`.split("\n")).toHaveLength(3);
    expect(text.length).toBeLessThan(1200);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});
