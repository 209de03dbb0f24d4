import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Scene, type Running } from "../../src/cli/cli.testkit.ts";
import { openSqliteStore, type Store } from "../../src/store/index.ts";
import { readStream, serving, type StreamEvent } from "./serving.testkit.ts";

/** The stream of all events: in the order of the journal, no gap and no double, whoever is killed in between. */

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});
afterEach(() => scene[Symbol.asyncDispose]());

const storeOf = (): Promise<Store> => openSqliteStore({ file: join(scene.home, "stepfall.db"), clock: { now: () => Date.now() } });

/** Appends events to a stream, as another process would. `size`: characters that each carries. */
async function append(
  store: Store,
  stream: string,
  { from, count, size = 10 }: { from: number; count: number; size?: number },
): Promise<void> {
  const events = Array.from({ length: count }, (_, i) => ({
    event: { type: "StepCompleted" as const, data: { step: `s${from + i}`, attempt: `${"x".repeat(size)}/a#1` } },
    at: from + i,
    actor: "engine",
  }));
  await store.commit({ appends: [{ stream, expected: from, events }] });
}

/** The same as readStream, with when it has begun. */
function reading(...[base, asked]: Parameters<typeof readStream>): { begun: Promise<void>; events: Promise<StreamEvent[]> } {
  const begun = Promise.withResolvers<void>();
  const enough = (events: StreamEvent[]): boolean => {
    begun.resolve();
    return asked.enough(events);
  };
  return { begun: begun.promise, events: readStream(base, { ...asked, enough }) };
}

const idsOf = (events: StreamEvent[]): number[] => events.flatMap(({ id }) => (id === undefined ? [] : [id]));
const counted = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("it says where it is, then what comes; from an id on what came after it; a heartbeat while nothing does", async () => {
  await using at = await serving(scene, { tuning: { heartbeatMs: 100 } });
  const headers = { authorization: `Bearer ${at.token("viewer")}` };
  const store = await storeOf();
  await append(store, "run:1", { from: 0, count: 5 });
  const now = reading(at.server.url, { headers, enough: (events) => idsOf(events).length === 2 });
  await now.begun;
  const quiet = await readStream(at.server.url, { headers, enough: (events) => events.some((e) => e.event === "comment") });
  expect(quiet[0]).toMatchObject({ event: "hello", data: { globalSeq: 5, version: "1.2.3" } });
  await append(store, "run:2", { from: 0, count: 2 });
  expect(idsOf(await now.events)).toEqual([6, 7]);
  const later = await readStream(at.server.url, { headers, after: 3, enough: (events) => idsOf(events).length === 4 });
  expect(idsOf(later)).toEqual([4, 5, 6, 7]);
  expect(later.findLast(({ event }) => event === "journal")).toMatchObject({
    event: "journal",
    data: { globalSeq: 7, stream: "run:2", version: 2, event: { type: "StepCompleted" } },
  });
  // What the browser remembers counts, not what the page once asked for; of a number that is no event yet, what comes.
  const resumed = await readStream(at.server.url, {
    headers: { ...headers, "last-event-id": "6" },
    after: 1,
    enough: (events) => idsOf(events).length === 1,
  });
  expect(idsOf(resumed)).toEqual([7]);
  const ahead = reading(at.server.url, { headers, after: 1_000_000, enough: (events) => idsOf(events).length === 1 });
  await ahead.begun;
  await append(store, "run:1", { from: 5, count: 1 });
  expect(idsOf(await ahead.events)).toEqual([8]);
  for (const after of ["x", "-1", "1e3"]) expect((await at.ask(`/api/v1/stream?after=${after}`, { as: "viewer" })).status).toBe(400);
  await store.close();
});

test("a client that takes nothing is dropped, and nothing is kept for it; others go on", { timeout: 60_000 }, async () => {
  await using at = await serving(scene, { tuning: { stallMs: 2_000 } });
  const headers = { authorization: `Bearer ${at.token("viewer")}` };
  const store = await storeOf();
  // Far more than what sockets and their buffers take.
  for (let i = 0; i < 40; i++) await append(store, "run:1", { from: i * 50, count: 50, size: 10_000 });
  const slow = connect(at.server.port, "127.0.0.1");
  slow.pause();
  slow.write(`GET /api/v1/stream?after=0 HTTP/1.1\r\nhost: 127.0.0.1:${at.server.port}\r\nauthorization: ${headers.authorization}\r\n\r\n`);
  const before = process.memoryUsage();
  const all = readStream(at.server.url, { headers, after: 0, enough: ({ length }) => length > 2000 });
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect(process.memoryUsage().external - before.external).toBeLessThan(100 << 20);
  const closed = new Promise<void>((resolve) => slow.once("close", () => resolve()));
  slow.on("error", () => {});
  slow.resume();
  await closed;
  expect(slow.bytesRead).toBeLessThan(20 << 20);
  expect(idsOf(await all)).toEqual(counted(1, 2000));
  await store.close();
});

test("how running attempts are comes beside it, without an id", { timeout: 60_000 }, async () => {
  scene.write({ "p.yaml": 'steps:\n  a: { command: "sleep 4", readonly: true }\n' });
  await using at = await serving(scene);
  const headers = { authorization: `Bearer ${at.token("viewer")}` };
  const live = reading(at.server.url, { headers, enough: (events) => events.some((e) => e.event === "live") });
  await live.begun;
  const { json } = await at.ask("/api/v1/runs", { as: "operator", json: { project: scene.project, pipeline: { file: "p.yaml" } } });
  const item = (await live.events).find((e) => e.event === "live");
  expect(item).toMatchObject({ data: { kind: "liveness", attempt: `${String(json?.["runId"])}/a#1`, state: "running" } });
  expect(item?.id).toBeUndefined();
  await at.ask(`/api/v1/runs/${String(json?.["runId"])}/cancel`, { as: "operator", json: {} });
});

test(
  "the server is killed three times while events are written: a client that comes back with its last id has them all, once",
  { timeout: 240_000 },
  async () => {
    const headers = (token: string) => ({ authorization: `Bearer ${token}` });
    let server = await up(scene, "0");
    const { port } = new URL(server.url);
    const store = await storeOf();
    let written = 0;
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) {
        await append(store, "run:1", { from: written, count: 3 });
        written += 3;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const seen: number[] = [];
    const read = async (signal: AbortSignal, enough: (ids: number[]) => boolean): Promise<void> => {
      const events = await readStream(server.url, {
        headers: headers(server.token),
        after: seen.at(-1) ?? 0,
        enough: (e) => enough(idsOf(e)),
        signal,
      });
      seen.push(...idsOf(events));
    };
    for (let kill = 0; kill < 3; kill++) {
      const reading = read(AbortSignal.timeout(60_000), () => false);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      server.running.child.kill("SIGKILL");
      await Promise.all([reading, server.running.ended]);
      expect(seen.length).toBeGreaterThan(0);
      server = await up(scene, port);
    }
    isWriting = false;
    await writing;
    await read(AbortSignal.timeout(60_000), (ids) => (ids.at(-1) ?? seen.at(-1)) === written);
    expect(seen).toEqual(counted(1, written));
    await store.close();
  },
);

/** A server as people start it. */
async function up(at: Scene, port: string): Promise<{ running: Running; url: string; token: string }> {
  const running = at.start(["up", "--port", port]);
  await running.said("Open this");
  const { url } = JSON.parse(readFileSync(join(at.home, "server", "server.json"), "utf8")) as { url: string };
  return { running, url, token: readFileSync(join(at.home, "server", "approver.token"), "utf8").trim() };
}
