import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ask, clock, endProcess, gateway, scripted, spec, tempHome, until } from "./gateway.testkit.ts";
import { connectGateway } from "./connect.ts";
import { startTimeOf } from "./process-identity.ts";
import { gatewayPaths } from "./folder.ts";
import { readRecord, writeRecord } from "./record.ts";
import { readSpool } from "./spool.ts";

/** An engine of its own: connects, prints the gateway's pid, and stays. */
async function engine(home: string, idleMs: number): Promise<{ child: ChildProcess; gatewayPid: number }> {
  const script = `
    import { connectGateway } from ${JSON.stringify(new URL("./connect.ts", import.meta.url).href)};
    const client = await connectGateway({ home: ${JSON.stringify(home)}, clock: { now: () => Date.now() }, tuning: { idleMs: ${idleMs} } });
    console.log(client.pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the engine ended with ${code}`)));
  });
  return { child, gatewayPid: Number(line) };
}

test("several engines that start at once get one gateway", async () => {
  const home = await tempHome();
  const engines = await Promise.all([
    engine(home, 5_000),
    engine(home, 5_000),
    engine(home, 5_000),
    connectGateway({ home, clock, tuning: { idleMs: 5_000 } }),
  ]);
  const pids = engines.map((e) => ("gatewayPid" in e ? e.gatewayPid : e.pid));
  onTestFinished(() => Promise.all([...new Set(pids)].map(endProcess)).then(() => undefined));
  expect(new Set(pids).size).toBe(1);
  expect(readRecord(gatewayPaths(home))?.pid).toBe(pids[0]);
});

test("the gateway outlives an engine while another is there, and ends by itself when the last was killed", async () => {
  const home = await tempHome();
  const [a, b] = await Promise.all([engine(home, 300), engine(home, 300)]);
  onTestFinished(() => endProcess(a.gatewayPid));
  a.child.kill("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(startTimeOf(a.gatewayPid)).toBeDefined();
  b.child.kill("SIGKILL");
  await until(() => startTimeOf(a.gatewayPid) === undefined);
  expect(existsSync(gatewayPaths(home).record)).toBe(false);
});

test("an engine that lets go is not waited for; one that comes back in time finds the same gateway", async () => {
  const home = await tempHome();
  const first = await gateway({ home, tuning: { idleMs: 1_200 } });
  await first.disconnect();
  const second = await gateway({ home });
  expect(second.pid).toBe(first.pid);
  await second.disconnect();
  await until(() => startTimeOf(first.pid) === undefined);
});

test("a gateway killed in mid-call: the next one settles the call as unknown, at its reservation", async () => {
  const home = await tempHome();
  const model = await scripted({
    rules: [
      { when: { lastUser: "long" }, answer: { text: "a b c d e f ".repeat(100), chunkDelayMs: 20 } },
      { answer: { text: "yes", usage: { promptTokens: 100, completionTokens: 500 } } },
    ],
  });
  const client = await gateway({ home });
  const budgets = [{ id: "run:run1", limit: 4_300, spent: 0 }];
  const open = await client.openKey(spec(model, { budgets }));
  const pending = ask(open, { stream: true, messages: [{ role: "user", content: "long" }] }).then((r) => r.text());
  pending.catch(() => undefined);
  await until(() => (model.served()[0]?.sentChunks ?? 0) > 3);
  await endProcess(client.pid);
  await expect(pending).rejects.toThrow();
  const reserved = readSpool(client.spool).records.at(-1)?.record;
  expect(reserved).toMatchObject({ type: "reserved", maxOutputTokens: 1_000 });
  const needed = reserved?.microUsd ?? 0;

  const unknown = { calls: 1, outputTokens: 1_000, microUsd: needed, provenance: "unknown" };
  expect(await client.closeKey(open.key)).toMatchObject(unknown);
  // The same client goes on at a new gateway, whose budgets know what was spent.
  const again = await client.openKey(spec(model, { budgets }));
  onTestFinished(() => endProcess(client.pid));
  expect(client.pid).not.toBe(readSpool(client.spool).records[0]?.record.gateway.split(":")[0]);
  expect(readSpool(client.spool).records.at(-1)?.record).toMatchObject({ type: "settled", provenance: "unknown", microUsd: needed });
  expect(await client.closeKey(open.key)).toMatchObject(unknown);
  expect((await ask(again, {})).status).toBe(200);
  const third = await ask(again, {});
  expect(third.status).toBe(402);
  expect(await third.text()).toContain("budget_exhausted");
});

test("a record of a dead process, or of another that got its pid, is not believed", async () => {
  const home = await tempHome();
  const client = await gateway({ home });
  const record = readRecord(gatewayPaths(home))!;
  await endProcess(client.pid);
  writeRecord(gatewayPaths(home), { ...record, pid: process.pid, startTime: "1" });
  const next = await gateway({ home });
  expect([client.pid, process.pid]).not.toContain(next.pid);
});

test("a gateway whose home is taken away ends", async () => {
  const home = await tempHome();
  const client = await gateway({ home });
  rmSync(home, { recursive: true });
  await until(() => startTimeOf(client.pid) === undefined);
});

test("a gateway that cannot start says why", async () => {
  const home = await tempHome();
  const { folder } = gatewayPaths(home);
  await gateway({ home }).then((client) => endProcess(client.pid));
  writeFileSync(join(folder, "spool.ndjson"), "this is not a spool\n");
  await expect(connectGateway({ home, clock })).rejects.toMatchObject({
    code: "GATEWAY_START_FAILED",
    message: expect.stringContaining("does not begin like a spool"),
  });
});
