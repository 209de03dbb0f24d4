import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelAll } from "./admin.ts";
import { Calls } from "./calls.ts";
import { Engines } from "./engines.ts";
import { GatewayError } from "./errors.ts";
import { InputEstimate } from "./estimate.ts";
import { Keys } from "./keys.ts";
import { Mask } from "./mask.ts";
import { alreadyRunning, parseGatewayArguments } from "./arguments.ts";
import { thisProcess, writeIdentity } from "./process-identity.ts";
import { gatewayPaths, gatewayProtocol, readRecord, removeRecord, takeLock, writeRecord } from "./record.ts";
import { listen } from "./server.ts";

/**
 * The gateway's process. It ends when no engine that uses it lives and nothing is in flight for `idleMs`, when its home is taken away, and
 * on SIGTERM; then what is in flight is cancelled and settled first.
 */
const options = parseGatewayArguments(process.argv.slice(2));
const paths = gatewayPaths(options.home);
const clock = { now: () => Date.now() };
const log = (line: string): void => void process.stderr.write(`${new Date(clock.now()).toISOString()} ${process.pid} ${line}\n`);

const mask = new Mask();
process.on("uncaughtException", (error) => {
  log(mask.text(error instanceof GatewayError ? `${error.message} ${error.hint}` : String(error.stack)));
  process.exit(1);
});

// The engine made the folder. One that is gone by now is not made again: nobody waits for a gateway there.
const lock = takeLock(paths);
if (!lock) process.exit(alreadyRunning);

const self = thisProcess();
const adminToken = `sfa-${randomBytes(24).toString("base64url")}`;
const keys = new Keys();
const engines = new Engines();
mask.add([adminToken]);
const calls = new Calls({
  spool: paths.spool,
  clock,
  gateway: writeIdentity(self),
  onProblem: (problem) => log(mask.text(`a settlement was not written: ${String(problem)}`)),
});

let url = "";
let ending = false;
const { server, port } = await listen({
  adminToken,
  keys,
  budgets: calls.budgets,
  engines,
  mask,
  calls,
  estimate: new InputEstimate(),
  timeouts: { firstByteMs: options.firstByteMs, idleMs: options.upstreamIdleMs },
  maxBodyBytes: options.maxBodyBytes,
  spool: paths.spool,
  inFlight: () => calls.inFlight,
  sync: () => calls.sync(),
  url: () => url,
  shutdown: (reason) => void end(reason),
  log,
  isEnding: () => ending,
});
url = `http://127.0.0.1:${port}`;
writeRecord(paths, { pid: self.pid, startTime: self.startTime, port, adminToken, protocol: gatewayProtocol });
log(`listens on 127.0.0.1:${port}`);

async function end(reason: string): Promise<void> {
  if (ending) return;
  ending = true;
  log(`ends: ${reason}`);
  // First, so that no engine finds a gateway that is about to go.
  removeRecord(paths, self);
  server.close();
  for (const key of keys.all()) {
    keys.remove(key);
    await cancelAll(key, "the gateway ends");
  }
  await calls.close();
  // The last answers, this one's included, are still on their way out.
  server.closeIdleConnections();
  await sleep(50);
  server.closeAllConnections();
  lock?.release();
  process.exit(0);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void end(signal));
process.on("SIGHUP", () => undefined);

/** On a busy machine the engine that started us may take its time. */
const firstHelloMs = 15_000;
let quietSince = clock.now();
setInterval(
  () => {
    engines.forgetDead();
    const record = readRecord(paths);
    if (record?.pid !== self.pid || record.startTime !== self.startTime) return void end("its record is gone");
    if (engines.size > 0 || calls.inFlight > 0) quietSince = clock.now();
    else if (clock.now() - quietSince >= (engines.met ? options.idleMs : Math.max(options.idleMs, firstHelloMs)))
      void end("nobody uses it");
  },
  Math.min(1_000, Math.max(50, options.idleMs / 4)),
);
