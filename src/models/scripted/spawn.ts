import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ServedCall } from "./serve.ts";

export interface ScriptedProcess {
  readonly pid: number;
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly baseUrl: string;
  served(): Promise<ServedCall[]>;
  /** Ends it. It outlives its parent, by ten quiet minutes at most. */
  stop(): Promise<void>;
}

/** Starts the scripted model as a detached process of its own. Rejects with what it wrote to stderr when it cannot start. */
export async function spawnScriptedModel(options: {
  /** A JSON file holding a `Script`. */
  scriptFile: string;
  port?: number;
  apiKey?: string;
  execPath?: string;
}): Promise<ScriptedProcess> {
  const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./scripted-main.js", import.meta.url));
  const args = [main, options.scriptFile, "--port", String(options.port ?? 0)];
  if (options.apiKey !== undefined) args.push("--api-key", options.apiKey);
  const child = spawn(options.execPath ?? process.execPath, args, { detached: true, stdio: ["ignore", "pipe", "pipe"], env: {} });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const first = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    createInterface({ input: child.stdout }).once("line", resolve);
    void ended.then(() => reject(new TypeError(`the scripted model did not start: ${stderr.trim()}`)));
  });
  child.unref();
  child.stdout.destroy();
  child.stderr.destroy();
  const { baseUrl } = JSON.parse(first) as { baseUrl: string };
  const pid = child.pid ?? 0;
  return {
    pid,
    origin: new URL(baseUrl).origin,
    baseUrl,
    served: async () => (await (await fetch(new URL("/scripted/served", baseUrl))).json()) as ServedCall[],
    stop: async () => {
      child.ref();
      child.kill("SIGTERM");
      await ended;
    },
  };
}
