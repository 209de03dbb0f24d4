import { randomBytes } from "node:crypto";
import { fork, type ChildProcess } from "node:child_process";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { alreadyRunning, parseGatewayArguments, workerFlag } from "./arguments.ts";
import { Connections } from "./connections.ts";
import type { FromWorker, KnownEngine, OpenedKey, ToWorker } from "./handover.ts";
import { thisProcess } from "./process-identity.ts";
import type { GatewayRecord } from "./record.ts";
import { openSay } from "./say.ts";
import { gatewayPaths, gatewayProtocol, isRecord, lastPort, removeRecord, takeLock, writeWhole } from "./folder.ts";

/**
 * The process that is the gateway of a home: see handover.ts. It starts a worker, and another whenever one dies. When it dies itself its
 * worker settles what is under way and ends; an engine then starts both again, on the same port.
 */
const argv = process.argv.slice(2);
const options = parseGatewayArguments(argv);
const paths = gatewayPaths(options.home);
const say = openSay("gateway", options, { clock: { now: () => Date.now() }, mask: (text) => text });

process.on("uncaughtException", (error) => {
  say("error", "gateway-broke-down", String(error.stack));
  process.exit(1);
});

// The engine made the folder. One that is gone by now is not made again: nobody waits for a gateway there.
if (!takeLock(paths.lock)) process.exit(alreadyRunning);

const self = thisProcess();
const adminToken = `sfa-${randomBytes(24).toString("base64url")}`;
const keys = new Map<string, OpenedKey>();
const engines = new Map<string, KnownEngine>();
/** A worker that dies this often within the time is not started again: something is wrong that a start does not cure. */
const mostDeaths = { times: 8, withinMs: 10_000 };
const deaths: number[] = [];

const { server, port } = await listen();
const record = JSON.stringify({
  pid: self.pid,
  startTime: self.startTime,
  port,
  adminToken,
  protocol: gatewayProtocol,
} satisfies GatewayRecord);
const connections = new Connections();
server.on("connection", (socket: Socket) => connections.add(socket));
let worker: ChildProcess | undefined;
let ending = false;
let wasReady = false;
startWorker();

/** Listens on loopback, at the port of the gateway before where that is free. Connections are accepted and not read. */
async function listen(): Promise<{ server: Server; port: number }> {
  const wanted = lastPort(paths);
  const deadline = Date.now() + options.portMs;
  for (let ask = wanted ?? 0; ;) {
    const made = createServer({ pauseOnConnect: true });
    const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      made.once("error", resolve);
      made.listen({ port: ask, host: "127.0.0.1" }, () => resolve(undefined));
    });
    if (!problem) {
      const { port: got } = made.address() as AddressInfo;
      writeWhole(paths.port, String(got));
      return { server: made, port: got };
    }
    if (ask === 0 || (problem.code !== "EADDRINUSE" && problem.code !== "EACCES")) throw problem;
    if (Date.now() < deadline) await sleep(50);
    else {
      say(
        "warn",
        "gateway-port-taken",
        `port ${ask}, where the gateway before listened, is taken by another program (${problem.code}): another is used`,
      );
      ask = 0;
    }
  }
}

function startWorker(): void {
  const [, main] = process.argv;
  const started = fork(main ?? "", [workerFlag, ...argv], { execArgv: process.execArgv, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const tell = (message: ToWorker): void => void started.send(message, () => undefined);
  worker = started;
  started.on("message", (message: FromWorker) => hear(message, started));
  started.once("exit", (code, signal) => {
    connections.workerGone();
    if (ending) process.exit(code ?? 0);
    // Its log says why. The engine that waits for us is to read it now.
    if (!wasReady && code !== null) process.exit(code || 1);
    const now = Date.now();
    deaths.push(now);
    say("warn", "worker-ended", `its worker (pid ${started.pid}) ended with ${signal ?? code}; another is started`);
    if (deaths.filter((at) => now - at < mostDeaths.withinMs).length >= mostDeaths.times) {
      say("error", "gateway-gave-up", `its workers ended ${mostDeaths.times} times within ${mostDeaths.withinMs / 1_000} s: it gives up`);
      process.exit(1);
    }
    startWorker();
  });
  started.on("error", (problem) => say("error", "worker-failed", `its worker: ${String(problem)}`));
  tell({ type: "begin", handover: { adminToken, port, engines: [...engines.values()], keys: [...keys.values()] } });
}

function hear(message: FromWorker, from: ChildProcess): void {
  switch (message.type) {
    case "ready":
      if (!wasReady) {
        writeWhole(paths.record, record);
        say("info", "gateway-began", `listens on 127.0.0.1:${port}`);
      }
      wasReady = true;
      return connections.worker(from);
    case "taken":
      return connections.taken(message.n);
    case "missed":
      return connections.missed(message.n);
    case "opened":
      return void keys.set(message.opened.key, message.opened);
    case "closed":
      return void keys.delete(message.key);
    case "hello":
      return void engines.set(message.engine.client, message.engine);
    case "goodbye":
      return void engines.delete(message.client);
    case "ending":
      ending = true;
      say("info", "gateway-ended", `ends: ${message.reason}`);
      // First, so that no engine finds a gateway that is about to go.
      removeRecord(paths, record);
      server.close();
      return connections.closeWaiting();
    default:
      return message satisfies never;
  }
}

function end(reason: string): void {
  if (worker?.connected) worker.send({ type: "end", reason } satisfies ToWorker, () => undefined);
  else process.exit(0);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => end(signal));
process.on("SIGHUP", () => undefined);

setInterval(() => {
  if (wasReady && !ending && !isRecord(paths, record)) end("its record is gone");
}, 1_000);
