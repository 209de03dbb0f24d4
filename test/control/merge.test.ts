import { chmodSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { controlOf } from "./controlling.testkit.ts";

vi.setConfig({ testTimeout: 120_000 });

const six = [1, 2, 3, 4, 5, 6].map((n) => `f${n}.txt`);
const pipeline = `steps:
  a: { command: "for i in 1 2 3 4 5 6; do echo run > f$i.txt; done", outputs: [${six.join(", ")}] }
  b: { needs: a, command: "exit \${{ inputs.code }}", readonly: true, retry: 1 }
inputs: { code: { default: "0" } }
`;

test("a run is merged in the name of who asked, once, however often and by however many it is asked for", async () => {
  await using scene = new Scene({ "p.yaml": pipeline });
  expect((await scene.run(["run", "p.yaml"])).code).toBe(0);
  const { runId } = await keptBy(scene);
  await using control = await controlOf(scene);
  // Slow enough that the second finds the first under way.
  scene.write({ ".git/hooks/commit-msg": "#!/bin/sh\nsleep 0.5\n" });
  chmodSync(join(scene.project, ".git/hooks/commit-msg"), 0o755);
  const [one, two] = await Promise.all([control.merge("web:ann", runId), control.merge("web:bob", runId)]);
  const commit = scene.git("rev-parse", "main");
  expect([one, two]).toEqual([
    { runId, into: "main", commit, already: false },
    { runId, into: "main", commit, already: true },
  ]);
  const merged = async () => (await keptBy(scene)).events.flatMap((e) => (e.event.type === "RunMerged" ? [[e.actor, e.event.data]] : []));
  expect(await merged()).toEqual([["web:ann", { into: "main", commit }]]);

  // What is committed later is no merge of it.
  scene.git("commit", "--quiet", "--allow-empty", "--message", "later");
  expect(await control.merge("web:ann", runId)).toEqual({ runId, into: "main", commit, already: true });
  expect((await scene.run(["merge"])).stdout).toBe(`stepfall/${runId} is in main already (${commit.slice(0, 12)})\n`);
  expect(await merged()).toHaveLength(1);
  // Taken back by hand, it is merged again.
  scene.git("reset", "--quiet", "--hard", "HEAD~2");
  expect(await control.merge("web:bob", runId)).toMatchObject({ already: false });
  expect(await merged()).toHaveLength(2);
});

test("a merge that is refused says why, names every file in its way, and leaves the checkout as it was", async () => {
  await using scene = new Scene({ "p.yaml": pipeline });
  await using control = await controlOf(scene);
  expect((await scene.run(["run", "p.yaml", "--with", "code=1"])).code).toBe(1);
  const { runId } = await keptBy(scene);
  await expect(control.merge("web:ann", runId)).rejects.toMatchObject({
    code: "RUN_UNFINISHED",
    message: expect.stringContaining("1 of 2"),
  });
  scene.write(Object.fromEntries(six.map((name) => [name, "mine\n"])));
  const refused = control.merge("web:ann", runId, { partial: true });
  await expect(refused).rejects.toMatchObject({ code: "MERGE_DIRTY", problems: six.map((file) => expect.objectContaining({ file })) });
  expect(scene.git("status", "--porcelain").split("\n")).toEqual(six.map((name) => `?? ${name}`));
  for (const name of six) rmSync(join(scene.project, name));
  // A git command of the user's own is at work.
  scene.write({ ".git/index.lock": "" });
  await expect(control.merge("web:ann", runId, { partial: true })).rejects.toMatchObject({
    code: "MERGE_DIRTY",
    message: expect.stringContaining("Another git command is at work"),
  });
  rmSync(join(scene.project, ".git/index.lock"));
  scene.write({ ".git/hooks/commit-msg": "#!/bin/sh\necho 'no ticket number' >&2\nexit 1\n" });
  chmodSync(join(scene.project, ".git/hooks/commit-msg"), 0o755);
  await expect(control.merge("web:ann", runId, { partial: true })).rejects.toMatchObject({
    code: "MERGE_REFUSED",
    message: expect.stringContaining("no ticket number"),
  });
  expect([scene.git("status", "--porcelain"), existsSync(join(scene.project, ".git/MERGE_HEAD"))]).toEqual(["", false]);
  rmSync(join(scene.project, ".git/hooks/commit-msg"));
  expect(await control.merge("web:ann", runId, { partial: true })).toMatchObject({ into: "main", already: false });
});
