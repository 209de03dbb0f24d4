import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Scene } from "../cli.testkit.ts";

test("a run whose folder is taken away ends within seconds, says so, takes its processes with it, and makes the folder no more", async () => {
  await using scene = new Scene({
    "p.yaml":
      'steps:\n  a: { command: "echo $$ > $HERE/pid; sleep 300", readonly: true, env: { HERE: "${{ inputs.here }}" } }\n  ok: { approve: { title: Ship it? } }\ninputs: { here: {} }\n',
  });
  const running = scene.start(["run", "p.yaml", "--wait", "--with", `here=${scene.folder}`]);
  await running.said("waits for somebody: Ship it?");
  while (!existsSync(join(scene.folder, "pid"))) await sleep(20);
  await sleep(100);
  const pid = Number(readFileSync(join(scene.folder, "pid"), "utf8"));
  expect(process.kill(pid, 0)).toBe(true);
  rmSync(scene.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  const { code, stderr } = await running.ended;
  expect([code, stderr]).toEqual([1, expect.stringMatching(/HOME_GONE: .* is gone/)]);
  expect(scene.homeExists).toBe(false);
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});
