import { expect, test } from "vitest";
import { Scene } from "./cli.testkit.ts";

/** Without a key, without an agent: what somebody finds who wants to see work wait for them. */

test("a first pipeline that waits for a person, from init to its end, in any project with a commit", async () => {
  await using scene = new Scene();
  const init = await scene.run(["init", "--template", "approval"]);
  expect(init.stderr).toMatch(/Next: edit pipeline\.yaml, commit both files, and\n {2}\S.* run pipeline\.yaml$/m);
  const running = scene.start(["run", "pipeline.yaml", "--wait"]);
  await running.said(/release waits for somebody/);
  expect((await scene.run(["inbox"])).stdout).toMatch(/Release what RELEASE-NOTES\.md says\?/);
  expect((await scene.run(["approve", "release"])).code).toBe(0);
  const { code, stdout, stderr } = await running.ended;
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/3 of 3 steps completed/);
  // Whoever comes later, with the short name that they were given, is told who was first.
  const { runId } = (await scene.json("show")).values[0] as unknown as { runId: string };
  for (const words of [
    ["approve", `${runId.slice(-6)}/release!1`],
    ["reject", `${runId.slice(-6)}/release!1`, "I have changed my mind"],
  ])
    expect((await scene.run(words)).stderr).toMatch(/^ITEM_CLOSED: \S+\/release!1 does not wait any more: \S+ said approve\./);
  expect(stdout).toMatch(/RELEASE-NOTES\.md \| \d+ \++\n/);
});
