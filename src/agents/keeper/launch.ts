import { spawn, type ChildProcessByStdio } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { AgentError } from "../errors.ts";
import { logFile, readLog } from "./folder.ts";
import { MessageLines, type Order, type Started } from "./protocol.ts";

/** Beside this file: the source when run from source, the bundler's entry `keeper-main.js` in dist. */
const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./keeper-main.js", import.meta.url));

/** A keeper is up in some 100 ms; on a machine where this is not enough, nothing else works either. */
const START_MS = 60_000;

/** Starts a keeper in its folder; resolves when its agent is on record and runs, or could not be started and that is on disk. */
export async function launch(folder: string, order: Order, mask: (text: string) => string): Promise<void> {
  const log = openSync(logFile(folder), "a", 0o600);
  let child: ChildProcessByStdio<Writable, Readable, null>;
  try {
    child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
      cwd: folder,
      // A session of its own, so that no Ctrl-C and no end of a terminal reaches it; nothing of our environment.
      detached: true,
      env: { PATH: "/usr/bin:/bin", STEPFALL_KEEPER: order.attempt },
      stdio: ["pipe", "pipe", log],
    }) as ChildProcessByStdio<Writable, Readable, null>;
  } finally {
    closeSync(log);
  }
  const { stdin, stdout } = child;
  const started = Promise.withResolvers<Started>();
  const failed = (message: string): void =>
    started.resolve({
      kind: "failed",
      trouble: { code: "AGENT_KEEPER_START", message: mask(message), hint: "Can Node start here, and is there memory left?" },
    });
  const lines = new MessageLines<Started>();
  stdout.on("data", (chunk: Buffer) => lines.push(chunk).forEach((message) => started.resolve(message)));
  child.once("error", (error) => failed(`the keeper of ${order.attempt} could not be started: ${error.message}`));
  child.once("close", (code, signal) => {
    const said = readLog(folder);
    failed(`the keeper of ${order.attempt} ended with ${signal ?? code} before it was ready${said === "" ? "" : `: ${said}`}`);
  });
  stdin.on("error", () => {}); // its end tells
  stdin.end(JSON.stringify(order));
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    failed(`the keeper of ${order.attempt} was not ready after ${START_MS / 1000} s`);
  }, START_MS);
  const said = await started.promise;
  clearTimeout(timer);
  // From here on it is on its own, and does not keep this process from ending.
  stdout.destroy();
  child.unref();
  if (said.kind === "failed") throw new AgentError(said.trouble.code, said.trouble.message, said.trouble.hint);
}
