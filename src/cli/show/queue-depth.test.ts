import { expect, test } from "vitest";
import { Scene } from "../cli.testkit.ts";
import type { QueueDepth } from "../../control/index.ts";
import { depthText } from "./queue-depth.ts";

/** Steps that wait for a file that the test writes. */
const waiting = (names: string[], folder: string): string =>
  `steps:\n${names.map((n) => `  ${n}: { command: "until [ -f ${folder}/go ]; do sleep 0.05; done", readonly: true }\n`).join("")}`;

const depths = (values: Record<string, unknown>[]) => values[0] as unknown as { runs: { queue?: QueueDepth }[]; queue?: QueueDepth };

test("ps and show say how many attempts run and wait, of a run and in all, and since when; also after a kill -9", async () => {
  await using scene = new Scene();
  scene.write({ "few.yaml": waiting(["a", "b", "c"], scene.folder), "many.yaml": waiting(["d", "e"], scene.folder) });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "pipelines");

  const few = scene.start(["run", "few.yaml", "--slots", "1"]);
  await few.said(/ [abc]#1 started/);
  const ps = await scene.run(["ps"]);
  expect(ps.stdout).toMatch(/STEPS +RUNNING +QUEUED +OLDEST +STARTED/);
  expect(ps.stdout).toMatch(/ running +0\/3 +1 +2 +[\d.]+ m?s +\d{4}-/);
  expect(ps.stderr).toMatch(/^In all runs: 1 attempt running, 2 queued, the oldest for [\d.]+ m?s\.$/m);

  const many = scene.start(["run", "many.yaml", "--slots", "4"]);
  await many.said("d#1 started");
  await many.said("e#1 started");
  const { runs, queue } = depths((await scene.json("ps")).values);
  expect(runs.map((r) => r.queue)).toEqual([
    { running: 2, queued: 0 },
    { running: 1, queued: 2, oldestWaitMs: expect.any(Number) as number },
  ]);
  expect(runs[1]?.queue?.oldestWaitMs).toBeGreaterThan(0);
  expect(queue).toMatchObject({ running: 3, queued: 2 });

  const [id] = /01[0-9a-z]{24}/.exec(ps.stdout) ?? [];
  const [show, data] = await Promise.all([scene.run(["show", id ?? ""]), scene.json("show", id ?? "")]);
  expect(show.stdout).toMatch(
    /^queue +1 attempt running, 2 queued, the oldest for [\d.]+ m?s\nin all runs +3 attempts running, 2 queued, /m,
  );
  expect(data.values[0]?.["queue"]).toMatchObject({ run: { running: 1, queued: 2 }, all: { running: 3, queued: 2 } });

  // What a dead process had taken waits again, though its lease has not run out.
  few.child.kill("SIGKILL");
  await few.ended;
  const killed = depths((await scene.json("ps")).values);
  expect(killed.runs[1]?.queue).toMatchObject({ running: 0, queued: 3 });
  expect(killed.queue).toMatchObject({ running: 2, queued: 3 });

  scene.write({ "../go": "" });
  expect((await many.ended).code).toBe(0);
  expect((await scene.run(["resume", id ?? ""])).code).toBe(0);
  const [text, json, ended] = await Promise.all([scene.run(["ps"]), scene.json("ps"), scene.run(["show", id ?? ""])]);
  expect(text.stdout + text.stderr).not.toMatch(/QUEUED|In all runs/);
  expect(ended.stdout).not.toMatch(/^(queue|in all runs) /m);
  const over = depths(json.values);
  expect(over.queue).toEqual({ running: 0, queued: 0 });
  expect(over.runs.map((r) => r.queue)).toEqual([undefined, undefined]);
});

test("the depth in words", () => {
  expect(depthText({ running: 0, queued: 0 })).toBe("0 attempts running, 0 queued");
  expect(depthText({ running: 1, queued: 1, oldestWaitMs: 61_000 })).toBe("1 attempt running, 1 queued, for 1 min 1 s");
  expect(depthText({ running: 2, queued: 1500, oldestWaitMs: 900 })).toBe("2 attempts running, 1,500 queued, the oldest for 900 ms");
});
