import { expect, test } from "vitest";
import { keptBy } from "../../test/acceptance/run-journal.testkit.ts";
import { Scene } from "./cli.testkit.ts";

// The second time the step runs it finds its file there, and does it badly when BAD is in the project.
const approval = `name: ship
steps:
  notes:
    command: if test -f NOTES; then if test -f BAD; then echo bad > NOTES; else echo better > NOTES; fi; else echo first > NOTES; fi
    outputs: [NOTES]
    gates: ["grep -qE 'first|better' NOTES"]
  ok: { needs: notes, approve: { title: Ship it?, detail: the notes are ready } }
  ship: { needs: ok, command: cp NOTES SHIPPED, outputs: [SHIPPED] }
`;

test("a run waits for a person with exit code 3; the inbox says how to answer, and the answer lets it go on", async () => {
  await using scene = new Scene({ "p.yaml": approval });
  const ended = await scene.run(["run", "p.yaml"]);
  expect(ended.code, ended.stderr).toBe(3);
  expect(ended.stdout).toContain("waits for people");
  const box = await scene.run(["inbox"]);
  expect(box.stdout).toMatch(/ok!1 {2}\(approval in run \w+, for .*\)\n {2}Ship it\?\n {4}the notes are ready\n {4}\S.* approve '\S+ok!1'/);
  expect((await scene.run(["ps"])).stdout).toContain("waiting");
  // Nothing but the answer lets it pass.
  expect((await scene.run(["resume"])).code).toBe(3);
  const said = await scene.run(["approve", "ok!1"]);
  expect(said.code, said.stderr).toBe(0);
  expect(said.stderr).toMatch(/Go on with: .* resume/);
  expect((await scene.run(["inbox"])).stderr).toContain("Nothing waits for you.");
  // What is answered waits for nobody, though nobody goes on with it yet; and it is answered once.
  const [listed] = (await scene.json("ps")).values.flatMap(
    ({ runs }) => runs as { status: string; waitedForPeopleMs: number; durationMs: number }[],
  );
  expect(listed).toMatchObject({ status: "stopped", waitedForPeopleMs: expect.any(Number) as number });
  expect(listed?.waitedForPeopleMs).toBeGreaterThan(0);
  expect(listed?.waitedForPeopleMs).toBeLessThan(listed?.durationMs ?? 0);
  expect((await scene.json("show")).values[0]).toMatchObject({ status: "stopped", waiting: [] });
  expect((await scene.run(["reject", `${(await keptBy(scene)).runId}/ok!1`, "no"])).stderr).toContain("ITEM_CLOSED");
  expect((await scene.run(["resume"])).code).toBe(0);
  expect(scene.git("show", `stepfall/${(await keptBy(scene)).runId}:SHIPPED`)).toBe("first");
  const again = await scene.run(["approve", `${(await keptBy(scene)).runId}/ok!1`]);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("ITEM_CLOSED");
});

test("rework does the step again, its gates judge it again, and the approval is asked anew", async () => {
  await using scene = new Scene({ "p.yaml": approval });
  expect((await scene.run(["run", "p.yaml"])).code).toBe(3);
  expect((await scene.run(["reject", "ok!1", "--rework", "say it better"])).code).toBe(0);
  expect((await scene.run(["resume"])).code).toBe(3);
  const kept = await keptBy(scene);
  expect(kept.of("AttemptAccepted").map((e) => [e.data.attempt.split("/")[1], e.data.gates.map((g) => g.verdict)])).toEqual([
    ["notes#1", ["passed"]],
    ["notes#2", ["passed"]],
  ]);
  expect((await scene.json("inbox")).values[0]).toMatchObject({ items: [{ item: `${kept.runId}/ok!2` }] });
  expect((await scene.run(["approve", "ok!2"])).code).toBe(0);
  expect((await scene.run(["resume"])).code).toBe(0);
  expect(scene.git("show", `stepfall/${kept.runId}:SHIPPED`)).toBe("better");
});

test("reworked work that its gate refuses never comes before the approval again", async () => {
  await using scene = new Scene({ "p.yaml": approval, BAD: "1\n" });
  expect((await scene.run(["run", "p.yaml"])).code).toBe(3);
  await scene.run(["reject", "ok!1", "--rework", "again"]);
  const ended = await scene.run(["resume"]);
  expect(ended.code).toBe(1);
  expect(ended.stdout).toMatch(/✗ notes failed/);
  expect((await keptBy(scene)).of("InboxOpened")).toHaveLength(1);
});

test("a waiting run goes on at once when somebody answers, with the answer as the question's output", async () => {
  await using scene = new Scene({
    "p.yaml":
      'steps:\n  q: { ask: { question: "Which?", choices: [a, b] } }\n  w: { needs: q, command: "echo ${{ steps.q.output.answer }} > OUT", outputs: [OUT] }\n',
  });
  const running = scene.start(["run", "p.yaml", "--wait"]);
  await running.said("waits for somebody: Which?");
  const wrong = await scene.run(["answer", "q!1", "c"]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain("the answer is one of a, b");
  const said = await scene.run(["answer", "q!1", "b"]);
  expect(said.stderr).toContain("The run goes on.");
  expect((await running.ended).code).toBe(0);
  expect(scene.git("show", `stepfall/${(await keptBy(scene)).runId}:OUT`)).toBe("b");
});

test("inputs come from the command line, secrets from the environment: masked everywhere, and asked for before anything starts", async () => {
  await using scene = new Scene({
    "p.yaml": `inputs: { name: string, times: 2 }
secrets: [DEPLOY_TOKEN]
steps:
  say:
    env: { T: "\${{ secrets.DEPLOY_TOKEN }}", N: "\${{ inputs.name }}" }
    command: 'echo "token $T for $N, \${{ inputs.times }} times" | tee OUT >&2; echo "\${#T}" > LEN'
    outputs: [LEN]
`,
  });
  const missing = await scene.run(["run", "p.yaml"]);
  expect([missing.code, scene.homeExists]).toEqual([2, false]);
  expect(missing.stderr).toContain("name");
  const noSecret = await scene.run(["run", "p.yaml", "--with", "name=x"]);
  expect([noSecret.code, scene.homeExists]).toEqual([2, false]);
  expect(noSecret.stderr).toContain("SECRET_MISSING");
  const wrong = await scene.run(["run", "p.yaml", "--with", "name=x", "--with", "times=many"]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("times");

  const token = "a-deploy-token-0123456789";
  const ended = await scene.run(["run", "p.yaml", "--with", "name=it's", "--with", "times=3"], { env: { DEPLOY_TOKEN: token } });
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  const kept = await keptBy(scene);
  expect(scene.git("show", `stepfall/${kept.runId}:LEN`)).toBe(String(token.length));
  const logs = await scene.run(["logs"]);
  expect(logs.stdout).toContain("token *** for it's, 3 times");
  expect(JSON.stringify(kept.events)).not.toContain(token);
});
