import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelAll, endKey, openKey } from "./admin.ts";
import { parseGatewayArguments } from "./arguments.ts";
import { PendingRequests } from "./attempt-mcp/pending-requests.ts";
import { AwaitedKeys } from "./awaited-keys.ts";
import { Calls } from "./calls.ts";
import { Engines } from "./engines.ts";
import { GatewayError } from "./errors.ts";
import { InputEstimate } from "./estimate.ts";
import { breakerRule } from "./failover/breaker.ts";
import { Health } from "./failover/health.ts";
import { writeProviderStates } from "./failover/provider-states.ts";
import type { FromWorker, Handover, ToWorker } from "./handover.ts";
import { Keys } from "./keys.ts";
import { Mask } from "./mask.ts";
import { Orphans } from "./orphans.ts";
import { thisProcess, writeIdentity } from "./process-identity.ts";
import { gatewayPaths, takeLock } from "./folder.ts";
import { Holds } from "./holds.ts";
import { openSay } from "./say.ts";
import { createGatewayServer } from "./server.ts";

/**
 * The gateway's worker: see handover.ts. It ends when no engine that uses it lives, no key is kept and nothing is in flight for `idleMs`, when
 * its holder is gone, and when the holder says so; then what is in flight is cancelled and settled first.
 */
const options = parseGatewayArguments(process.argv.slice(2));
const paths = gatewayPaths(options.home);
const clock = { now: () => Date.now() };
const tell = (message: FromWorker): void => void process.send?.(message, () => undefined);

const mask = new Mask();
const say = openSay("gateway-worker", options, { clock, mask: (text) => mask.text(text) });
process.on("uncaughtException", (error) => {
  say("error", "worker-broke-down", error instanceof GatewayError ? `${error.message} ${error.hint}` : String(error.stack));
  process.exit(1);
});
// The holder gets those, and says what is to be done.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);

/** How long the worker of a holder that was killed may take to settle what it had under way. */
const predecessorMs = 10_000;

let end: (reason: string) => Promise<void> = () => process.exit(0);
process.once("disconnect", () => void end("its holder is gone"));
let take: (socket: Socket) => void = (socket) => socket.destroy();
process.on("message", (message: ToWorker, socket?: Socket) => {
  switch (message.type) {
    case "begin":
      return void work(message.handover);
    case "connection":
      if (!socket) return tell({ type: "missed", n: message.n });
      tell({ type: "taken", n: message.n });
      return take(socket);
    case "end":
      return void end(message.reason);
    default:
      return message satisfies never;
  }
});

async function work({ adminToken, port, engines: known, keys: opened }: Handover): Promise<void> {
  const deadline = clock.now() + predecessorMs;
  let lock = takeLock(paths.workerLock);
  for (; !lock; lock = takeLock(paths.workerLock)) {
    if (clock.now() > deadline) throw new GatewayError("GATEWAY_START_FAILED", "Another worker still has the spool.", "Try again.");
    await sleep(20);
  }
  const url = `http://127.0.0.1:${port}`;
  mask.add([adminToken]);
  const engines = new Engines();
  const calls = new Calls({
    spool: paths.spool,
    clock,
    gateway: writeIdentity(thisProcess()),
    onProblem: (problem) => say("error", "settlement-unwritten", `a settlement was not written: ${String(problem)}`),
  });
  const keys = new Keys(calls.usages);
  const awaited = new AwaitedKeys(paths.openKeys, clock.now());
  let ending = false;
  const noteKeys = (): void => {
    if (!ending)
      awaited.write(
        keys.all().map(({ keyId, spec }) => ({ keyId, ...(spec.until !== undefined && { until: spec.until }) })),
        clock.now(),
      );
  };
  const context = {
    adminToken,
    keys,
    awaited,
    budgets: calls.budgets,
    holds: new Holds(calls.budgets, clock),
    requests: new PendingRequests(),
    health: new Health({
      clock,
      log: (line) => say("warn", "provider-changed", line),
      onChange(states) {
        try {
          writeProviderStates(paths, states);
        } catch (problem) {
          // Nobody's call is to fail for it.
          say("warn", "provider-states-unwritten", `the states of the providers were not written down: ${String(problem)}`);
        }
      },
      rule: { ...breakerRule, openMs: options.breakerOpenMs },
    }),
    engines,
    mask,
    calls,
    estimate: new InputEstimate(),
    timeouts: { firstByteMs: options.firstByteMs, idleMs: options.upstreamIdleMs },
    maxBodyBytes: options.maxBodyBytes,
    awaitedMs: options.awaitedMs,
    spool: paths.spool,
    port,
    clock,
    inFlight: () => calls.inFlight,
    sync: () => calls.sync(),
    url: () => url,
    shutdown: (reason: string) => void end(reason),
    tell: (message: FromWorker) => {
      tell(message);
      if (message.type === "opened" || message.type === "closed") noteKeys();
    },
    log: (line: string) => say("error", "request-failed", line),
    isEnding: () => ending,
  };
  for (const engine of known) engines.hello(engine.client, engine);
  for (const { key, client, spec } of opened) openKey(key, client, spec, context);
  noteKeys();

  const server = createGatewayServer(context);
  const sockets = new Set<Socket>();
  const ofAgents = new Set<Socket>();
  server.on("request", ({ url: path, socket }: IncomingMessage) => {
    if (path?.startsWith("/admin/") !== true) ofAgents.add(socket);
  });
  take = (socket) => {
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      ofAgents.delete(socket);
    });
    // A server does that itself only for connections it has accepted; without it the end of a stream waits for the reader's late acknowledgement.
    socket.setNoDelay(true);
    server.emit("connection", socket);
    socket.resume();
  };

  end = async (reason) => {
    if (ending) return;
    ending = true;
    // First, so that no engine finds a gateway that is about to go.
    tell({ type: "ending", reason });
    // As if this process had died: an agent asks again after a connection that broke, and not after an answer that says that all is over.
    for (const socket of ofAgents) socket.resetAndDestroy();
    for (const key of keys.all()) {
      keys.remove(key);
      await cancelAll(key, "the gateway ends");
    }
    await calls.close();
    // The last answers, this one's included, are still on their way out.
    await sleep(50);
    for (const socket of sockets) socket.destroy();
    lock?.release();
    process.exit(0);
  };

  const orphans = new Orphans({ keys, engines, idleMs: options.idleMs, close: (key) => void endKey(key, "its engine is gone", context) });
  let quietSince = clock.now();
  setInterval(
    () => {
      const now = clock.now();
      engines.forgetDead();
      orphans.look(now);
      context.holds.look(engines);
      const isUsed = engines.size > 0 || calls.inFlight > 0 || keys.all().some(({ spec }) => (spec.until ?? 0) > now);
      if (isUsed) quietSince = now;
      else if (now - quietSince >= (engines.met ? options.idleMs : Math.max(options.idleMs, firstHelloMs))) void end("nobody uses it");
    },
    Math.min(1_000, Math.max(50, options.idleMs / 4)),
  );
  tell({ type: "ready" });
}

/** On a busy machine the engine that started us may take its time. */
const firstHelloMs = 15_000;
