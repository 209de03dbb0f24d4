import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../domain/index.ts";
import { alreadyRunning, gatewayArguments, type GatewayTuning } from "./arguments.ts";
import { sayHello, type Attached } from "./client.ts";
import type { GatewayClient } from "./contract.ts";
import { EngineClient } from "./engine-client.ts";
import { GatewayError } from "./errors.ts";
import { gatewayPaths, makeFolder, type GatewayPaths } from "./folder.ts";
import { livingRecord } from "./record.ts";

export interface ConnectGatewayOptions {
  /** STEPFALL_HOME: the gateway's folder is `<home>/gateway`. */
  home: string;
  clock: Clock;
  /** Environment of a gateway that is started, e.g. NODE_EXTRA_CA_CERTS. Default: empty. */
  env?: Readonly<Record<string, string>>;
  /** Node to run it with. Default: this process's. */
  execPath?: string;
  /** For a gateway that is started. */
  tuning?: Partial<GatewayTuning>;
  /** How long a start may take. Default 20 s. */
  startTimeoutMs?: number;
}

/** A log beyond this is begun anew. */
const maxLogBytes = 1 << 20;

/**
 * Attaches to the gateway of this home, or starts one. Safe to call from several engines at once: all may start a process, one of these gets
 * the home's lock, the others end, and every engine ends up with that one.
 */
export async function connectGateway(options: ConnectGatewayOptions): Promise<GatewayClient> {
  const paths = gatewayPaths(options.home);
  makeFolder(paths);
  // One name for all gateways it will meet: it may come back to one that knows it.
  const client = randomUUID();
  const attach = (): Promise<Attached> => attachOrStart(options, paths, client);
  return new EngineClient(await attach(), attach, paths);
}

async function attachOrStart(options: ConnectGatewayOptions, paths: GatewayPaths, client: string): Promise<Attached> {
  const deadline = options.clock.now() + (options.startTimeoutMs ?? 20_000);
  let child: { exit: Promise<number>; code?: number } | undefined;
  for (;;) {
    const record = livingRecord(paths);
    const attached = record && (await sayHello(record, client));
    if (attached) return attached;
    // Ours found the lock taken (by one that will write its record, or by one on its way out), or ended in good order before we came.
    const isOver = child?.code === alreadyRunning || child?.code === 0;
    if (child?.code !== undefined && !isOver) {
      const message = `The gateway ended with code ${child.code}: ${tail(paths.log)}`;
      throw new GatewayError("GATEWAY_START_FAILED", message, `Its log is ${paths.log}.`);
    }
    if (isOver) {
      child = undefined;
      await sleep(50);
    } else if (!record) child ??= start(options, paths);
    if (options.clock.now() > deadline) {
      const who = record ? `The gateway (pid ${record.pid}) lives and does not answer` : `No gateway came up: ${tail(paths.log)}`;
      throw new GatewayError(record ? "GATEWAY_UNREACHABLE" : "GATEWAY_START_FAILED", `${who}.`, `Its log is ${paths.log}.`);
    }
    await Promise.race([sleep(25), ...(child ? [child.exit] : [])]);
  }
}

function start(options: ConnectGatewayOptions, paths: GatewayPaths): { exit: Promise<number>; code?: number } {
  const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./gateway-main.js", import.meta.url));
  const log = openSync(paths.log, (statSync(paths.log, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes ? "w" : "a", 0o600);
  try {
    const child = spawn(options.execPath ?? process.execPath, [main, ...gatewayArguments(options.home, options.tuning ?? {})], {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...options.env },
      cwd: paths.folder,
    });
    const started: { exit: Promise<number>; code?: number } = {
      exit: new Promise((resolve) => {
        child.once("error", () => resolve((started.code = 127)));
        // One that was killed is no news of what is wrong: another is started.
        child.once("exit", (code) => resolve((started.code = code ?? 0)));
      }),
    };
    child.unref();
    return started;
  } finally {
    closeSync(log);
  }
}

function tail(log: string): string {
  try {
    return readFileSync(log, "utf8").trimEnd().split("\n").slice(-5).join(" | ").slice(-1_000) || "its log is empty";
  } catch {
    return "it left no log";
  }
}
