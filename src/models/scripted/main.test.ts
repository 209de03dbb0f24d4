import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("a scripted model whose starter was killed serves on, and ends by itself when nobody asks any more", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-scripted-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, "script.json");
  writeFileSync(script, JSON.stringify({ rules: [{ turns: [{ text: "yes" }] }] }));
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const source = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, [${JSON.stringify(main)}, ${JSON.stringify(script)}, "--idle-ms", "600"], { detached: true, stdio: ["ignore", "inherit", "inherit"] });
    process.stderr.write("pid " + child.pid + "\\n");
    setInterval(() => {}, 1000);`;
  const starter = spawn(process.execPath, ["-e", source], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void starter.kill("SIGKILL"));
  let said = "";
  for (const stream of [starter.stdout, starter.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  while (!said.includes("baseUrl") || !said.includes("pid ")) await sleep(20);
  const pid = Number(/pid (\d+)/.exec(said)?.[1]);
  const { baseUrl } = JSON.parse(/\{.*\}/.exec(said)?.[0] ?? "{}") as { baseUrl: string };
  await sleep(1000);
  expect(isAlive(pid)).toBe(true);
  starter.kill("SIGKILL");
  await once(starter, "exit");
  const answer = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "?" }] }),
  });
  expect(answer.status).toBe(200);
  for (let i = 0; i < 100 && isAlive(pid); i++) await sleep(50);
  expect(isAlive(pid)).toBe(false);
});
