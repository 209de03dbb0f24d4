import { expect, test } from "vitest";
import { keptBy } from "../../test/acceptance/run-journal.testkit.ts";
import { writeLive, type LivenessItem } from "../fleet/index.ts";
import { Scene } from "./cli.testkit.ts";

const settings = `agents:
  slow: { executor: shell, command: "echo begun; sleep 60" }
  quick: { executor: shell, command: "echo done > out.txt" }
`;
const pipeline = `name: p
steps:
  a: { prompt: write out.txt, agent: slow, outputs: [out.txt], retry: 1 }
  b: { needs: a, command: "true", readonly: true }
`;

test("a step is taken from the agent that has it: its attempt ends uncounted, and the other agent does it", async () => {
  await using scene = new Scene({ "stepfall.yaml": settings, "p.yaml": pipeline });
  const running = scene.start(["run", "p.yaml"]);
  await running.said("a#1 started by slow");
  for (const [args, code, said] of [
    [["reassign", "nothing"], "STEP_UNKNOWN", /has no step nothing\.\s+It has: a, b\./],
    [["reassign", "b"], "STEP_NOT_ROUTABLE", /is done by no agent: it is of kind command/],
    [["reassign", "a", "--agent", "ghost"], "USAGE", /agent ghost is none of run \w+\.\s+It has: slow, quick\./],
    [["reassign", "a", "--agent", "slow"], "STEP_NOT_ROUTABLE", /has agent slow already/],
  ] as const) {
    const refused = await scene.run(args);
    expect(refused.code, args.join(" ")).toBe(2);
    expect(refused.stderr).toContain(code);
    expect(refused.stderr).toMatch(said);
  }
  const done = await scene.run(["reassign", "a", "--reason", "it only sleeps"], { env: { USER: "ann" } });
  expect(done.code, done.stderr).toBe(0);
  expect(done.stdout).toMatch(/^a: given to any agent but slow by ann; \w+\/a#1 is ended and does not count\n$/);
  expect(done.stderr).toContain("The run goes on.");
  const ended = await running.ended;
  expect(ended.code, ended.stderr + ended.stdout).toBe(0);
  const kept = await keptBy(scene);
  expect(kept.of("StepReassigned").map((e) => e.data)).toEqual([{ step: "a", by: "ann", not: "slow", because: "it only sleeps" }]);
  expect(kept.of("AttemptInterrupted").map((e) => e.data.because)).toEqual(["reassigned by ann: it only sleeps"]);
  expect(kept.of("AttemptStarted").map((e) => e.data.agent)).toEqual(["slow", "quick", "shell"]);
  expect(scene.git("show", `stepfall/${kept.runId}:out.txt`)).toBe("done");
  const over = await scene.run(["reassign", "a"]);
  expect(over.stderr).toContain("is over");
});

test("a step nobody drives is given away for when the run goes on", async () => {
  await using scene = new Scene({ "stepfall.yaml": settings, "p.yaml": pipeline });
  const running = scene.start(["run", "p.yaml", "--grace", "0s"]);
  await running.said("a#1 started by slow");
  running.child.kill("SIGINT");
  running.child.kill("SIGINT");
  expect((await running.ended).code).toBe(130);
  const { code, values } = await scene.json("reassign", "a");
  expect(code).toBe(0);
  expect(values).toEqual([expect.objectContaining({ version: 1, step: "a", not: "slow", driven: false })]);
  expect((await scene.run(["reassign", "a"])).stderr).toContain("is taken from slow already");
  expect((await scene.run(["reassign", "a", "--agent", "quick"])).stderr).toMatch(/Go on with: .* resume/);
  expect((await scene.run(["resume"])).code).toBe(0);
  expect((await keptBy(scene)).of("AttemptStarted").map((e) => e.data.agent)).toEqual(["slow", "quick", "shell"]);
});

test("an agent that is the only one keeps its step", async () => {
  await using scene = new Scene({
    "stepfall.yaml": `agents:\n  slow: { executor: shell, command: "echo begun; sleep 60" }\n`,
    "p.yaml": pipeline,
  });
  const running = scene.start(["run", "p.yaml"]);
  await running.said("a#1 started by slow");
  const none = await scene.run(["reassign", "a"]);
  expect(none.code).toBe(2);
  expect(none.stderr).toMatch(/STEP_NOT_ROUTABLE: step a has no agent to go to but slow\.\s+Name one with --agent: there is no other\./);
  expect((await keptBy(scene)).of("StepReassigned")).toEqual([]);
});

test("show and ps tell how an attempt is that runs now, with its evidence, and stop telling when nobody drives it", async () => {
  await using scene = new Scene({ "stepfall.yaml": settings, "p.yaml": pipeline });
  const running = scene.start(["run", "p.yaml", "--grace", "0s"]);
  await running.said("a#1 started by slow");
  const { runId } = await keptBy(scene);
  const now = Date.now();
  const item: LivenessItem = {
    kind: "liveness",
    at: now,
    attempt: `${runId}/a#1`,
    step: "a",
    state: "stuck",
    since: now - 125_000,
    evidence: ["the same call 9 times in a row: `run npm test`", "the last of them 4 s ago"],
    risk: {
      score: 0.84,
      factors: [{ name: "repetition", value: 1, weight: 1, evidence: ["70 % of its last 9 calls, in threes, were made before"] }],
      leftOut: [{ name: "burn", because: "no similar attempt has finished yet" }],
    },
  };
  // It writes the same file every few seconds.
  running.child.kill("SIGSTOP");
  writeLive(scene.home, item);
  const shown = await scene.run(["show"]);
  expect(shown.stdout).toContain("     stuck for 2 min 5 s: the same call 9 times in a row: `run npm test`; the last of them 4 s ago\n");
  expect(shown.stdout).toContain(
    "     risk 0.84\n       repetition 1.00 (weighs 1.00): 70 % of its last 9 calls, in threes, were made before\n",
  );
  expect(shown.stdout).toContain("       burn left out: no similar attempt has finished yet\n");
  expect((await scene.run(["ps"])).stdout).toMatch(/ATTEMPTS\n.* {2}1 stuck, risk 0\.84\n/);
  expect((await scene.json("show")).values[0]).toMatchObject({ steps: [{ id: "a", attempts: [{ live: item }] }, { id: "b" }] });
  expect((await scene.json("ps")).values[0]).toMatchObject({ runs: [{ live: [item] }] });
  running.child.kill("SIGCONT");
  running.child.kill("SIGINT");
  running.child.kill("SIGINT");
  await running.ended;
  writeLive(scene.home, { ...item, at: Date.now() });
  expect((await scene.run(["show"])).stdout).not.toContain("stuck for");
  expect((await scene.run(["ps"])).stdout).not.toContain("ATTEMPTS");
});
