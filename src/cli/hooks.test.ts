import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startReceiver } from "../engine/receiver.testkit.ts";
import { Scene } from "./cli.testkit.ts";

const PATIENT = 240_000;

/** With hooks of the user's own. */
function sceneWith(pipeline: string, config: string): Scene {
  const scene = new Scene({ "p.yaml": pipeline });
  mkdirSync(scene.home, { recursive: true });
  writeFileSync(join(scene.home, "config.yaml"), config);
  return scene;
}

interface Told {
  hook: string;
  event: { type: string; data: Record<string, unknown> };
  run: { status: string; pipeline: string };
}

describe("hooks of a run", { timeout: PATIENT }, () => {
  test("are told of it, at its end at the latest; its report lies in its folder", async () => {
    await using receiver = await startReceiver();
    await using scene = sceneWith(
      "name: small\nsteps:\n  a: { command: echo hi > a.txt, outputs: [a.txt], phase: first }\n  b: { command: 'true', readonly: true, needs: a }\n",
      [
        "hooks:",
        `  - { name: web, on: [RunStarted, StepCompleted, RunFinished], webhook: "${receiver.url}" }`,
        "  - { name: mine, on: RunFinished, if: \"run.status == 'succeeded'\", run: 'cat > told.json' }",
        "  - { name: gone, on: RunStarted, run: ./no-such-program, retries: 0 }",
      ].join("\n"),
    );
    const ended = await scene.run(["run", "p.yaml"]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(receiver.received.map((r) => (r.body as Told).event.type)).toEqual([
      "RunStarted",
      "StepCompleted",
      "StepCompleted",
      "RunFinished",
    ]);
    const told = JSON.parse(readFileSync(join(scene.project, "told.json"), "utf8")) as Told;
    expect(told).toMatchObject({ hook: "mine", run: { status: "succeeded", pipeline: "small" } });
    expect(ended.stderr).toMatch(/hook gone: RunStarted was not delivered after 1 try: .*not found/);

    const { values } = await scene.json("hooks");
    expect(values[0]).toMatchObject({
      type: "hooks",
      hooks: [{ name: "web" }, { name: "mine" }, { name: "gone" }],
      waiting: [],
      dead: [{ hook: "gone", event: "RunStarted", tries: 1 }],
    });
    writeFileSync(join(scene.project, "no-such-program"), "#!/bin/sh\ncat > late.json\n", { mode: 0o755 });
    const retried = await scene.run(["hooks", "--retry"]);
    expect(retried.code, retried.stderr).toBe(0);
    expect(JSON.parse(readFileSync(join(scene.project, "late.json"), "utf8"))).toMatchObject({ event: { type: "RunStarted" } });

    const folder = join(scene.home, "runs", readdirSync(join(scene.home, "runs"))[0] ?? "");
    expect(readFileSync(join(folder, "report-first.md"), "utf8")).toMatch(/^# small, phase first\n/);
    const report = readFileSync(join(folder, "report.md"), "utf8");
    expect(report).toMatch(/^# small: succeeded\n/);
    const printed = await scene.run(["report"]);
    expect(printed.stdout).toContain(report.slice(0, report.indexOf("## Cost")));
    expect(printed.stdout).toContain("Savings: too little data");
    const phase = await scene.run(["report", "--phase", "second"]);
    expect(phase).toMatchObject({ code: 2, stderr: expect.stringContaining("Its phases: first") as string });
  });

  test("may refuse an attempt and a merge, and say why; nothing is refused silently", async () => {
    const pipeline = [
      "name: careful",
      "steps:",
      "  deploy: { command: echo deployed, readonly: true }",
      "  write: { command: 'echo x > x.txt', outputs: [x.txt], retry: 2 }",
      "  after: { command: 'true', readonly: true, needs: write }",
    ].join("\n");
    const asked = `node -e 'let t="";process.stdin.on("data",(d)=>t+=d).on("end",()=>{const e=JSON.parse(t);`;
    await using scene = sceneWith(
      pipeline,
      [
        "hooks:",
        "  - { name: freeze, on: AttemptStarted, if: \"step.path == 'deploy'\", run: 'echo no deploys on Fridays >&2; exit 1', veto: true }",
        `  - name: guard`,
        "    on: MergeIntended",
        `    run: ${JSON.stringify(`${asked}console.log(JSON.stringify(e.step.attempts>1?{}:{veto:"the first one never goes in"}))})'`)}`,
        "    veto: true",
        "  - { name: away, on: RunStarted, webhook: 'http://127.0.0.1:9', veto: true, on-error: allow }",
      ].join("\n"),
    );
    const ended = await scene.run(["run", "p.yaml", "--json"]);
    expect(ended.code).toBe(1);
    const show = (await scene.json("show")).values[0] as {
      status: string;
      steps: { id: string; status: string; because?: string; attempts: unknown[] }[];
    };
    expect(show.status).toBe("failed");
    expect(show.steps).toMatchObject([
      { id: "deploy", status: "failed", because: "the hook freeze refused it: no deploys on Fridays" },
      { id: "write", status: "completed", attempts: [{ phase: "refused" }, { phase: "merged" }] },
      { id: "after", status: "completed" },
    ]);
    const { stdout: report } = await scene.run(["report"]);
    expect(report).toMatch(/the hook `away` before the run: allowed, .+ \[v2\]/);
    expect(report).toMatch(/the hook `guard` before the merge of `write`: refused, the first one never goes in \[v\d+\]/);
    expect(report).toMatch(/the hook `freeze` before the attempt of `deploy`: refused, no deploys on Fridays \[v\d+\]/);
  });

  test("may refuse a run: nothing of it starts, not even what always runs", async () => {
    await using scene = sceneWith(
      "name: late\nsteps:\n  a: { command: echo a, readonly: true }\n  z: { command: echo z, readonly: true, finally: true }\n",
      'hooks: [{ name: hours, on: RunStarted, run: \'echo "{\\"veto\\": \\"nobody is here\\"}"\', veto: true }]\n',
    );
    const ended = await scene.run(["run", "p.yaml"]);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("the hook hours refused it: nobody is here");
    const show = (await scene.json("show")).values[0] as { status: string; steps: { attempts: unknown[] }[] };
    expect(show).toMatchObject({ status: "cancelled", steps: [{ attempts: [] }, { attempts: [] }] });
  });

  test("of a project that nobody trusted stop a run before it begins", async () => {
    await using scene = new Scene({
      "p.yaml": "steps: { a: { command: 'true', readonly: true } }",
      "stepfall.yaml": "hooks: [{ on: RunStarted, run: touch hacked }]\n",
    });
    const refused = await scene.run(["run", "p.yaml"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/stepfall\.yaml.*\n.*project-hooks: allow|project-hooks: allow/);
    expect(existsSync(join(scene.project, "hacked"))).toBe(false);
    const trusted = await scene.run(["run", "p.yaml"], { env: { STEPFALL_PROJECT_HOOKS: "allow" } });
    expect(trusted.code, trusted.stderr).toBe(0);
    expect(existsSync(join(scene.project, "hacked"))).toBe(true);
  });

  test("of an item say where to answer it while a server runs, and that link alone lets nobody in", async () => {
    await using receiver = await startReceiver();
    await using scene = sceneWith("name: careful\nsteps: { ship: { approve: Ship it? } }\n", "notify: { webhook: { url-secret: ROOM } }\n");
    const env = { ROOM: receiver.url };
    const up = scene.start(["up", "--port", "0"], { env });
    await up.said("Stepfall is at");
    const waits = await scene.run(["run", "p.yaml"], { env });
    expect(waits.code, waits.stderr).toBe(3);
    await expect.poll(() => receiver.received.length, { timeout: 60_000 }).toBe(1);
    const text = JSON.stringify(receiver.received[0]?.body);
    const [, link = ""] = /Answer at (http:\S+) or with: stepfall approve /.exec(text) ?? [];
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/runs\/\w+\?step=ship$/);
    expect((await fetch(link)).status).toBe(200);
    expect((await fetch(`${new URL(link).origin}/api/v1/runs`)).status).toBe(401);
    up.child.kill("SIGTERM");
    await up.ended;
  });
});
