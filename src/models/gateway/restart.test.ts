import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test, vi } from "vitest";
import type { KeySpec, OpenKey } from "./contract.ts";
import {
  ask,
  bodyOf,
  childrenOf,
  clock,
  endProcess,
  everyFile,
  gateway,
  scripted,
  spec,
  tempHome,
  until,
  upstreamKey,
} from "./gateway.testkit.ts";
import { sayHello, type Attached } from "./client.ts";
import { connectGateway } from "./connect.ts";
import { EngineClient } from "./engine-client.ts";
import { isAlive, startTimeOf } from "./process-identity.ts";
import { gatewayPaths } from "./folder.ts";
import { readRecord } from "./record.ts";
import { readSpool } from "./spool.ts";

/** An engine in a process of its own, with a key open; it can be killed. */
async function engine(home: string, key: KeySpec, idleMs = 15_000): Promise<{ child: ChildProcess; gatewayPid: number; open: OpenKey }> {
  const script = `
    import { connectGateway } from ${JSON.stringify(new URL("./connect.ts", import.meta.url).href)};
    const client = await connectGateway({ home: ${JSON.stringify(home)}, clock: { now: () => Date.now() }, tuning: { idleMs: ${idleMs} } });
    const open = await client.openKey(${JSON.stringify(key)});
    console.log(JSON.stringify({ gatewayPid: client.pid, open }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the engine ended with ${code}`)));
  });
  return { child, ...(JSON.parse(line) as { gatewayPid: number; open: OpenKey }) };
}

/** The gateway of a home as it is now, whoever started it. */
const pidAt = (home: string): number => readRecord(gatewayPaths(home))?.pid ?? 0;

const endGatewayOf = (home: string): void => onTestFinished(() => endProcess(pidAt(home) || 2 ** 30));

/** As an agent that tries again while nobody listens. */
async function askUntilAnswered(open: OpenKey, body: Record<string, unknown> = {}): Promise<Response> {
  for (;;) {
    const response = await ask(open, body).catch(() => undefined);
    if (response) return response;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const answers = {
  rules: [
    { when: { lastUser: "long" }, answer: { text: "a b c d e f ".repeat(25), chunkDelayMs: 15 } },
    { answer: { text: "yes", usage: { promptTokens: 100, completionTokens: 450 } } },
  ],
};
const long = { stream: true, messages: [{ role: "user", content: "long" }] };

test("a worker that is killed is replaced by the holder, no engine needed, and what an agent asks meanwhile waits", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const { child, gatewayPid, open } = await engine(
    home,
    spec(model, { epoch: 1, until: clock.now() + 60_000, budgets: [{ id: "run:run1", limit: 4_200, spent: 0 }] }),
    300,
  );
  endGatewayOf(home);
  child.kill("SIGKILL");
  const broken = ask(open, long).then((response) => response.text());
  broken.catch(() => undefined);
  await until(() => (model.served()[0]?.sentChunks ?? 0) > 3);
  const [worker] = childrenOf(gatewayPid);
  process.kill(worker ?? 0, "SIGKILL");
  await expect(broken).rejects.toThrow();
  const begun = clock.now();
  // The port still listens: this is accepted at once, and answered by the next worker. The first call holds its reservation, 2,0xx of 4,200.
  expect((await ask(open, {})).status).toBe(200);
  expect(clock.now() - begun).toBeLessThan(10_000);
  expect((await ask(open, {})).status).toBe(402);
  expect(startTimeOf(gatewayPid)).toBeDefined();
  expect(readSpool(gatewayPaths(home).spool).records.map(({ record }) => record)).toMatchObject([
    { type: "reserved" },
    { type: "settled", provenance: "unknown", outcome: "failed" },
    { type: "reserved" },
    { type: "settled", provenance: "reported", microUsd: 1_000 },
    { type: "settled", outcome: "refused" },
  ]);
});

test("a gateway that is killed in the middle of a stream comes back at its address with its keys, and the bill is whole", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const client = await gateway({ home });
  const open = await client.openKey(spec(model, { budgets: [{ id: "run:run1", limit: 6_000, spent: 0 }] }));
  expect((await ask(open, {})).status).toBe(200);
  const broken = ask(open, long).then((response) => response.text());
  broken.catch(() => undefined);
  await until(() => (model.served()[1]?.sentChunks ?? 0) > 3);
  const { pid } = client;
  await endProcess(pid);
  await expect(broken).rejects.toThrow();
  const response = await askUntilAnswered(open);
  expect(response.status).toBe(200);
  await until(() => client.pid !== pid);
  expect(open.lost.aborted).toBe(false);
  const unknown = readSpool(client.spool).records.find(
    ({ record }) => record.type === "settled" && record.provenance === "unknown",
  )?.record;
  // 1,000 each for the two that were answered, and what the broken one had reserved: 2,0xx. Another 2,0xx does not fit.
  expect((await ask(open, {})).status).toBe(402);
  expect(await client.closeKey(open.key)).toMatchObject({
    calls: 3,
    microUsd: 2_000 + (unknown?.microUsd ?? 0),
    provenance: "unknown",
    exhausted: { id: "run:run1", limit: 6_000 },
  });
  // Closed is closed, and asked again it says the same.
  expect((await ask(open, {})).status).toBe(401);
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 3 });
});

test("a holder that is killed alone takes its worker with it, which settles what was under way", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const broken = ask(open, long).then((response) => response.text());
  broken.catch(() => undefined);
  await until(() => (model.served()[0]?.sentChunks ?? 0) > 3);
  const [worker] = childrenOf(client.pid);
  process.kill(client.pid, "SIGKILL");
  await until(() => startTimeOf(worker ?? 0) === undefined);
  // No last word: an agent asks again after a connection that broke, and not after an answer that says that the call was cancelled.
  await expect(broken).rejects.toThrow();
  expect((await askUntilAnswered(open)).status).toBe(200);
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 2, provenance: "estimated" });
});

test("an engine that is killed leaves its agent's key open, and the next takes over the same key with all it has used", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const agreed = spec(model, { epoch: 4, until: clock.now() + 60_000, budgets: [{ id: "run:run1", limit: 100_000, spent: 0 }] });
  const first = await engine(home, agreed, 200);
  endGatewayOf(home);
  expect((await ask(first.open, {})).status).toBe(200);
  const under = ask(first.open, long);
  await until(() => (model.served()[1]?.sentChunks ?? 0) > 3);
  first.child.kill("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await ask(first.open, {})).status).toBe(200);
  const second = await gateway({ home });
  const open = await second.openKey(agreed);
  expect(second.pid).toBe(first.gatewayPid);
  expect(open).toMatchObject({ key: first.open.key, url: first.open.url, usage: { calls: 2, microUsd: 2_000 } });
  // What the agent had under way when its engine died went on.
  expect(await (await under).text()).toContain("[DONE]");
  // An engine that was believed dead and comes back late cannot take the key away.
  const late = await gateway({ home });
  expect(await late.closeKey(open.key)).toMatchObject({ calls: 3 });
  expect((await ask(open, {})).status).toBe(200);
  expect(await second.closeKey(open.key)).toMatchObject({ calls: 4, provenance: "reported" });
  // The same attempt begun anew is another one.
  const anew = await second.openKey({ ...agreed, epoch: 5 });
  expect(anew.key).not.toBe(open.key);
  expect(anew.usage.calls).toBe(0);
});

test("engine and gateway are both killed: the next engine finds the port, the key and the usage again", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const agreed = spec(model, { epoch: 1, until: clock.now() + 60_000, budgets: [{ id: "run:run1", limit: 4_000, spent: 0 }] });
  const first = await engine(home, agreed);
  expect((await ask(first.open, {})).status).toBe(200);
  // The answer comes before its bill: killed between both, the call would count with what it had reserved.
  await until(() => readFileSync(gatewayPaths(home).spool, "utf8").includes('"settled"'));
  first.child.kill("SIGKILL");
  await endProcess(first.gatewayPid);
  // Another engine starts the gateway for a key of its own. The agent's call waits for its own engine, and is not told that its key is unknown.
  const other = await gateway({ home });
  const waiting = askUntilAnswered(first.open);
  await other.openKey(spec(model, { attempt: "run2/x#1", runId: "run2" }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const second = await gateway({ home });
  const open = await second.openKey(agreed);
  expect(open).toMatchObject({ key: first.open.key, url: first.open.url, usage: { calls: 1, microUsd: 1_000 } });
  expect((await waiting).status).toBe(200);
  // 2,000 of 4,000 are spent; a call reserves a little more than that.
  expect((await ask(open, {})).status).toBe(402);
  for (const { path, bytes } of await everyFile(home)) {
    expect(bytes.includes(upstreamKey), path).toBe(false);
    expect(bytes.includes(open.key), path).toBe(false);
    expect(statSync(path).mode & 0o077, path).toBe(0);
  }
});

test("a call with a key whose engine does not come back is told so after a while, in a way that may be tried again", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const first = await engine(home, spec(model, { epoch: 1, until: clock.now() + 60_000 }));
  first.child.kill("SIGKILL");
  await endProcess(first.gatewayPid);
  await gateway({ home, tuning: { awaitedMs: 300 } });
  const response = await ask(first.open, {});
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect((await bodyOf(response)).error.message).toContain("the engine of this attempt has not come back");
  expect((await ask({ ...first.open, key: `sf-${"x".repeat(43)}` }, {})).status).toBe(401);
});

test("a key whose engine is gone for good is closed when its time is up, and the gateway ends then", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const client = await gateway({ home, tuning: { idleMs: 200 } });
  const open = await client.openKey(spec(model, { epoch: 1, until: clock.now() + 1_500 }));
  await client.disconnect();
  const broken = ask(open, long).then((response) => response.text());
  await new Promise((resolve) => setTimeout(resolve, 900));
  expect((await ask(open, {})).status).toBe(200);
  expect(await broken).toContain("The call was cancelled: its engine is gone");
  await until(() => startTimeOf(client.pid) === undefined);
  expect(existsSync(gatewayPaths(home).record)).toBe(false);
});

test("another program took the port: the key is lost with a reason, and its bill can still be had", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const client = await gateway({ home, tuning: { portMs: 300 } });
  const open = await client.openKey(spec(model));
  expect((await ask(open, {})).status).toBe(200);
  // What is not settled when its gateway dies is billed at its reservation: that is another test's.
  await until(() => readFileSync(client.spool, "utf8").includes('"settled"'));
  const port = Number(new URL(client.url).port);
  const thief = createServer();
  onTestFinished(() => void thief.close());
  // As quick as it can be: the client starts the next gateway as soon as it sees the end of this one.
  const taken = new Promise<void>((resolve) => {
    const take = (): void => {
      thief.removeAllListeners();
      thief.on("connection", (socket) => socket.destroy());
      thief.once("error", () => setTimeout(take, 1)).listen(port, "127.0.0.1", resolve);
    };
    take();
  });
  await endProcess(client.pid);
  await taken;
  await until(() => open.lost.aborted);
  expect(open.lost.reason).toMatchObject({ code: "GATEWAY_PORT_TAKEN", message: expect.stringContaining(`the agent knows ${open.url}`) });
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 1, microUsd: 1_000 });
  const next = await client.openKey(spec(model));
  expect(next.url).not.toBe(open.url);
  expect((await ask(next, {})).status).toBe(200);
});

test("wherever a gateway is killed, a budget holds and no call is settled twice", async () => {
  const home = await tempHome();
  const model = await scripted({
    rules: [{ answer: { text: "one two three four", chunkDelayMs: 15, usage: { promptTokens: 100, completionTokens: 450 } } }],
  });
  const clients = [await gateway({ home }), await gateway({ home })];
  const limit = 40_000;
  const budgets = [{ id: "run:run1", limit, spent: 0 }];
  const keys = await Promise.all(clients.map((client, i) => client.openKey(spec(model, { budgets, attempt: `run1/s${i}#1` }))));
  let over = false;
  const agents = Array.from({ length: 4 }, async (_, i) => {
    while (!over) {
      const response = await askUntilAnswered(keys[i % 2]!, { stream: true });
      await response.text().catch(() => "");
      if (response.status === 402) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  // Before the call is out, in the stream, before it is settled: whatever it hits. The worker, the holder, or both.
  for (let kill = 0; kill < 6; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150 + kill * 37));
    const pid = pidAt(home);
    const [worker] = childrenOf(pid);
    if (kill % 3 === 0) process.kill(worker ?? 2 ** 30, "SIGKILL");
    else if (kill % 3 === 1) process.kill(pid, "SIGKILL");
    else await endProcess(pid);
    await until(
      async () =>
        (await fetch(`${keys[0]?.url}/models`, { headers: { authorization: `Bearer ${keys[0]?.key}` } }).catch(() => undefined))?.status ===
        200,
    );
  }
  over = true;
  await Promise.all(agents);
  const usages = [await clients[0]!.closeKey(keys[0]!.key), await clients[1]!.closeKey(keys[1]!.key)];
  let held = 0;
  let spent = 0;
  const reserved = new Set<string>();
  const settled = new Set<string>();
  for (const { record } of readSpool(clients[0]!.spool).records) {
    if (record.type === "reserved") {
      reserved.add(record.callId);
      held += record.microUsd;
    } else {
      expect(settled.has(record.callId)).toBe(false);
      settled.add(record.callId);
      if (record.outcome !== "refused") expect(reserved.has(record.callId)).toBe(true);
      held -= record.reservedMicroUsd;
      spent += record.microUsd;
    }
    expect(held + spent).toBeLessThanOrEqual(limit);
  }
  expect(held).toBe(0);
  expect(usages.reduce((sum, usage) => sum + usage.microUsd, 0)).toBe(spent);
  expect(usages.reduce((sum, usage) => sum + usage.calls, 0)).toBe(reserved.size);
  // Every call that reached the provider is on the bill, as one of them.
  expect(model.served().length).toBeLessThanOrEqual(reserved.size);
  expect(model.served().length).toBeGreaterThan(4);
});

test("an engine gets its key, and what it used, though gateway after gateway is killed as soon as it has said hello", async () => {
  const home = await tempHome();
  const model = await scripted(answers);
  const paths = gatewayPaths(home);
  let deaths = 0;
  const attach = async (): Promise<Attached> => {
    await (await connectGateway({ home, clock, tuning: { idleMs: 15_000 } })).disconnect();
    const record = readRecord(paths);
    const attached = record && (await sayHello(record, "one-engine"));
    if (!attached) throw new TypeError("no gateway");
    if (deaths > 0) {
      deaths -= 1;
      process.kill(record.pid, "SIGKILL");
      await until(() => !isAlive(record));
    }
    return attached;
  };
  deaths = 3;
  const client = new EngineClient(await attach(), attach, paths);
  endGatewayOf(home);
  const open = await client.openKey(spec(model, { epoch: 1, until: clock.now() + 60_000 }));
  // The worker of one that was killed may have given the key while it ended.
  await until(() => deaths === 0);
  // One that ends answers 503: an agent asks again.
  await vi.waitUntil(async () => (await askUntilAnswered(open)).status === 200, { timeout: 20_000, interval: 50 });
  deaths = 2;
  process.kill(pidAt(home), "SIGKILL");
  // One that a dying gateway took and never ended counts, too.
  expect((await client.closeKey(open.key)).calls).toBeGreaterThanOrEqual(1);
  await client.disconnect();
});
