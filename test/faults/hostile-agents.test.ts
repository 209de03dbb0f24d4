import { statSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { transcriptPath } from "../../src/engine/index.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { expectDoneOnce, expectNothingLeft, expectSentences, faultScene, filesOf, waitingPipeline, waitingTree } from "./fault-scene.ts";

// Each starts the program several times.
vi.setConfig({ testTimeout: 180_000 });

/** What a step's shell does, and what the journal says of it at the end. */
interface Hostile {
  does: string;
  more?: string;
  accepted?: true;
  failed?: readonly [kind: string, message: RegExp];
}

const hostile: Readonly<Record<string, Hostile>> = {
  "ignores-every-signal": {
    does: "trap '' HUP INT TERM QUIT USR1 USR2; while :; do sleep 1; done",
    more: "timeout: 2s",
    failed: ["timeout", /not done after 2 s/],
  },
  "fork-bomb": {
    does: "i=0; while [ $i -lt 150 ]; do (setsid sh -c 'sleep 300 & exec sleep 300' &) ; i=$((i+1)); done; echo forked > forked.txt",
    accepted: true,
  },
  "fills-its-output": {
    does: "exec yes some words that nobody wants to read",
    failed: ["agent", /more output than a transcript may hold/],
  },
  "deletes-its-workspace": { does: 'cd /; rm -rf "$W"', failed: ["agent", /(was removed. The attempt did this|Device or resource busy)/] },
  "deletes-its-home": { does: 'rm -rf "$HOME" "$TMPDIR"; echo still > home-gone.txt', accepted: true },
  "deletes-its-git": { does: "rm -rf .git; git init --quiet .; echo still > git-gone.txt", accepted: true },
  "locks-its-tree": { does: "mkdir locked; echo 1 > locked/in.txt; chmod 000 locked/in.txt locked .", accepted: true },
  "puts-a-link-to-everything-in-its-place": {
    does: 'cd /; mv "$W" "$W.away"; ln -s / "$W"',
    failed: ["agent", /(was replaced by something that is no folder. The attempt did this|Device or resource busy)/],
  },
  "leaves-a-pipe-and-a-socket": {
    does: `mkfifo pipe; ${process.execPath} -e 'require("node:net").createServer().listen("sock", () => process.exit(0))'; mv sock kept 2>/dev/null; mkfifo other; echo x > beside.txt`,
    accepted: true,
  },
  "writes-200-megabytes": {
    does: "dd if=/dev/zero of=big bs=1M count=200 2>/dev/null; sleep 120",
    more: "timeout: 60s",
    failed: ["agent", /its workspace takes more than 50\.0 MB/],
  },
  "does-its-work": { does: "echo good > good.txt", accepted: true },
};

test.each([
  ["as plain processes", { STEPFALL_SANDBOX: "off" }],
  ["in a sandbox, where there is one", {}],
])(
  "%s: agents that ignore every signal, fork, flood, fill the disk, delete or replace their workspace, HOME and .git each get their true reason, the good one is merged, and nothing of any is left",
  async (_, sandbox) => {
    const step = ([name, { does, more }]: [string, Hostile]): string => {
      const file = /> ([\w-]+\.txt)/.exec(does)?.[1];
      return `  ${name}: { command: ${JSON.stringify(`W=$PWD; ${does}`)}, ${file && name !== "locks-its-tree" ? `outputs: [${file}]` : 'outputs: ["**"]'}, retry: 1${more ? `, ${more}` : ""} }\n`;
    };
    await using scene = faultScene(
      () => `steps:\n${Object.entries(hostile).map(step).join("")}`,
      () => "slots: 4\nisolation: { workspace-disk: 50MB }\n",
    );
    scene.sandbox = sandbox;
    const ended = await scene.run(["run", "p.yaml"]);
    expect(ended.code, ended.stderr).toBe(1);
    expectSentences(ended);
    const kept = await keptBy(scene);
    const seen = Object.fromEntries(
      Object.keys(hostile).map((name) => {
        const failed = kept.of("AttemptFailed").find((e) => e.data.step === name)?.data;
        const rejected = kept.of("AttemptRejected").find((e) => e.data.step === name)?.data;
        const accepted = kept.of("AttemptAccepted").some((e) => e.data.step === name);
        return [
          name,
          accepted ? "accepted" : failed ? `${failed.kind}: ${failed.message}` : `rejected: ${JSON.stringify(rejected?.findings)}`,
        ];
      }),
    );
    for (const [name, { accepted, failed }] of Object.entries(hostile)) {
      if (accepted) expect(seen[name], name).toBe("accepted");
      if (failed) expect(seen[name], name).toMatch(new RegExp(`^${failed[0]}: .*${failed[1].source}`, "s"));
    }
    // What cannot be in git is not: of the pipes and the socket nothing came along.
    const merged = ["beside.txt", "forked.txt", "git-gone.txt", "good.txt", "home-gone.txt", "locked/in.txt"];
    expect(filesOf(scene, kept.runId)).toEqual(["README.md", ...merged, "p.yaml", "stepfall.yaml"].toSorted());
    expect(statSync(transcriptPath(scene.home, `${kept.runId}/fills-its-output#1`, "agent")).size).toBeLessThanOrEqual(32 * 1024 * 1024);
    await expectNothingLeft(scene);
  },
);

test("an agent that removes its keeper's files, or forges a good end for itself, is not believed: its work is judged by what is there", async () => {
  const pipeline = (folder: string): string => `steps:
  forges:
    command: |
      for at in ${folder}/home/keepers/*forges*/1; do
        printf '{"outcome":{"kind":"exit","exit":{"kind":"exited","code":0,"durationMs":1}},"to":{"bytes":0,"seq":0}}' > $at/exit.json
      done
      exit 3
    outputs: [forged.txt]
  removes: { command: "sleep 1; rm -rf ${folder}/home/keepers/*removes*; echo done > removed.txt", outputs: [removed.txt] }
`;
  await using scene = faultScene(pipeline);
  const ended = await scene.run(["run", "p.yaml"]);
  expectSentences(ended);
  const kept = await keptBy(scene);
  expect(ended.code).toBe(1);
  expect(kept.of("AttemptAccepted")).toEqual([]);
  // Its own end comes after the forged one, or before: either way it has not done its work.
  expect(
    kept
      .of("StepFailed")
      .map((e) => e.data.step)
      .toSorted(),
  ).toEqual(["forges", "removes"]);
  // Without its files nobody can say how it ended, three times in a row: that is told, and is no success.
  const failed = kept.of("AttemptFailed").find((e) => e.data.step === "removes");
  expect(failed?.data).toMatchObject({
    step: "removes",
    kind: "crash",
    message: expect.stringContaining("the folder of its keeper was removed"),
  });
  await expectNothingLeft(scene);
});

test("somebody deletes the run's branch while a step works: it stops with a sentence, and resume makes it again with all that was merged", async () => {
  await using scene = faultScene(waitingPipeline);
  const running = scene.start(["run", "p.yaml"]);
  await running.said("slow#1 started");
  const { runId } = await keptBy(scene);
  scene.git("update-ref", "-d", `refs/heads/stepfall/${runId}`);
  scene.write({ "../go": "" });
  const ended = await running.ended;
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(new RegExp(`GIT_FAILED: The branch stepfall/${runId} cannot be moved`));
  expectSentences(ended);
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  await expectDoneOnce(scene, waitingTree);
  await expectNothingLeft(scene);
});
