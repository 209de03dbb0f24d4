import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Script } from "./script.ts";
import { startScriptedModel } from "./server.ts";

/**
 * The scripted model as a process of its own, so that it outlives whoever asks it: `main.ts SCRIPT.json [--port N] [--api-key K] [--idle-ms N]`. The
 * first line on stdout is `{"port":N,"baseUrl":"..."}`. What it served is at `GET /scripted/served`. It ends on SIGTERM, and by itself
 * when whoever started it is gone and nobody has asked anything for a while: a killed demo leaves nothing behind for ever.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: "string", default: "0" }, "api-key": { type: "string" }, "idle-ms": { type: "string", default: "600000" } },
});
const [file] = positionals;
if (!file) {
  process.stderr.write("usage: scripted-model SCRIPT.json [--port N] [--api-key K]\n");
  process.exit(2);
}
const script = Script.parse(JSON.parse(await readFile(file, "utf8")));
const apiKey = values["api-key"];
const model = await startScriptedModel({ script, port: Number(values.port), ...(apiKey !== undefined && { apiKey }) });
process.stdout.write(`${JSON.stringify({ port: model.port, baseUrl: model.baseUrl })}\n`);
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void model.close().then(() => process.exit(0)));

const starter = process.ppid;
const idleMs = Number(values["idle-ms"]);
const lookMs = Math.min(5_000, idleMs / 2);
let seen = 0;
let quietMs = 0;
setInterval(() => {
  const now = model.served().length;
  quietMs = process.ppid === starter || now !== seen ? 0 : quietMs + lookMs;
  seen = now;
  if (quietMs >= idleMs) void model.close().then(() => process.exit(0));
}, lookMs).unref();
