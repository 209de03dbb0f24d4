import { describe, expect, test } from "vitest";
import type { GroupStep, Step } from "../../domain/index.ts";
import { expandGroup, parsePipeline, resolveStep, type Scope, type StepResult } from "../index.ts";
import { importActions, type ImportedActions } from "./index.ts";

type Imported = Extract<ImportedActions, { ok: true }>;
function imported(yaml: string): Imported {
  const result = importActions(yaml, "ci.yml");
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result;
}
/** The imported file, loaded by the pipeline's own parser. */
function loaded(yaml: string): Record<string, Step> {
  const result = parsePipeline(imported(yaml).pipeline, "ci.yaml");
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return Object.fromEntries(result.pipeline.steps.map((step) => [step.path, step]));
}
const notesOf = (yaml: string): string[] => imported(yaml).notes.map((note) => `${note.line} ${note.name} ${note.effect}: ${note.message}`);

const INPUTS = "on: { workflow_dispatch: { inputs: { deep: { type: boolean }, n: { type: number }, who: { default: me } } } }";
const workflowWithIf = (condition: string): string => `
${INPUTS}
jobs:
  a: { outputs: { tag: x }, steps: [{ run: a }] }
  b-c: { steps: [{ run: b }] }
  last:
    needs: [a, b-c]
    if: ${JSON.stringify(condition)}
    steps: [{ run: c }]
`;
const ended = (a: StepResult["outcome"], b: StepResult["outcome"] = "succeeded"): Scope["steps"] => ({
  a: { outcome: a, output: { tag: "v1" } },
  "b-c": { outcome: b },
});
/** Whether the last job runs; `stops` when its condition could not be carried over. */
function runs(condition: string, inputs: Record<string, unknown> = {}, steps = ended("succeeded")): boolean | "stops" {
  const yaml = workflowWithIf(condition);
  if (imported(yaml).notes.some((note) => note.name === "jobs.last.if" && note.effect === "stops")) return "stops";
  const step = loaded(yaml)["last"];
  const resolved = step && resolveStep(step, { inputs, steps, run: { id: "r1", branch: "b" } });
  if (!resolved?.ok) throw new Error(JSON.stringify(resolved));
  return resolved.run;
}

describe("the condition of a job", () => {
  test("asks what GitHub would have known by inputs", () => {
    const push = "github.event_name == 'push' && github.ref != 'refs/heads/main'";
    expect(runs(push, { github_event_name: "push", github_ref: "refs/heads/x" })).toBe(true);
    expect(runs(`\${{ ${push} }}`, { github_event_name: "push", github_ref: "refs/heads/main" })).toBe(false);
    expect(runs("startsWith(github.ref, 'refs/tags/') || endsWith(github.ref, '-rc')", { github_ref: "x-rc" })).toBe(true);
    expect(runs('contains(fromJSON(\'["push", "schedule"]\'), github.event_name)', { github_event_name: "pull_request" })).toBe(false);
    expect(runs("(github.head_ref || github.ref_name) == 'main'", { github_head_ref: "", github_ref_name: "main" })).toBe(true);
    expect(runs("format('{0}-{1}', github.actor, 'x') == 'me-x'", { github_actor: "me" })).toBe(true);
    // A field of no event is null at GitHub, and null is false.
    expect(runs("github.event.release.prerelease == false", { github_event_release_prerelease: "" })).toBe(true);
    expect(runs("github.event.release.prerelease == false", { github_event_release_prerelease: "true" })).toBe(false);
  });

  test("asks the workflow's own inputs, in both ways that GitHub has", () => {
    expect(runs("inputs.deep && inputs.n > 3 && inputs.who == 'me'", { deep: true, n: 4, who: "me" })).toBe(true);
    expect(runs("github.event.inputs.deep == 'true'", { deep: false })).toBe(false);
    expect(runs("inputs.not_there", {})).toBe(false);
  });

  test("asks how its needs ended and what they gave", () => {
    expect(runs("needs.a.outputs.tag == 'v1' && needs.a.outputs.none == ''")).toBe(true);
    expect(runs("needs.b-c.result == 'failure'", {}, ended("succeeded", "failed"))).toBe(true);
    expect(runs("always() && contains(needs.*.result, 'failure')", {}, ended("failed"))).toBe(true);
    expect(runs("always() && contains(needs.*.result, 'failure')")).toBe(false);
    expect(runs("!failure() && !cancelled()", {}, ended("skipped"))).toBe(true);
    expect(runs("!failure() && !cancelled()", {}, ended("failed"))).toBe(false);
  });

  test("status functions say after which ends it runs", () => {
    const when = (condition: string): unknown => loaded(workflowWithIf(condition))["last"]?.when;
    expect(["always()", "${{ !cancelled() }}", "failure()", "success()", "true"].map(when)).toEqual([
      "always",
      "always",
      "failed",
      undefined,
      undefined,
    ]);
    const [, alone] = Object.entries(loaded("jobs:\n  a: { if: failure(), steps: [{ run: a }] }"))[0] ?? [];
    expect(alone?.if).toBe("false");
  });

  test("that cannot be kept makes the job stop instead of run", () => {
    for (const condition of [
      "hashFiles('a') != ''",
      "always() || inputs.deep",
      "secrets.X != ''",
      "x ${{ true }}",
      "github.event.commits.*.id",
    ])
      expect(runs(condition), condition).toBe("stops");
    const yaml = workflowWithIf("hashFiles('a') != ''");
    expect(notesOf(yaml)).toContain("8 jobs.last.if stops: hashfiles() is not supported yet");
    const { last } = loaded(yaml);
    expect(last?.kind === "command" && last.command).toContain("stop 'jobs.last.if (line 8): hashfiles() is not supported yet'");
  });
});

test("a whole workflow loads, and each job keeps what it says of itself", () => {
  const steps = loaded(`
name: CI
on: push
env: { MODE: ci, TOKEN: "\${{ secrets.DEPLOY }}", API_KEY: written-out }
jobs:
  Build It:
    timeout-minutes: 5
    continue-on-error: true
    steps: [{ run: make }]
  ship:
    needs: Build It
    env: { WHO: "\${{ github.actor }}", HERE: "\${{ github.workspace }}/x" }
    steps: [{ run: 'echo $HERE "\${{ secrets.DEPLOY }}"' }]
`);
  expect(Object.keys(steps)).toEqual(["build-it", "ship"]);
  expect(steps["build-it"]).toMatchObject({ kind: "command", readonly: true, mayFail: true, timeoutMs: 300_000, retry: { attempts: 1 } });
  expect(steps["ship"]).toMatchObject({
    needs: ["build-it"],
    timeoutMs: 6 * 3_600_000,
    env: {
      MODE: "ci",
      TOKEN: "${{ secrets.DEPLOY }}",
      API_KEY: "${{ secrets.API_KEY }}",
      WHO: "${{ inputs.github_actor }}",
      secrets_deploy: "${{ secrets.DEPLOY }}",
    },
  });
  const { ship } = steps;
  expect(ship?.kind === "command" && ship.command).toContain('export HERE="${GITHUB_WORKSPACE}/x"\n');
});

test("a matrix makes the same jobs, with the same values", () => {
  const group = loaded(`
jobs:
  test:
    strategy:
      fail-fast: false
      max-parallel: 2
      matrix:
        node-version: [20, 22]
        os: [linux]
        include: [{ os: linux, node-version: 22, extra: yes }, { os: mac }]
    steps: [{ run: 'echo \${{ matrix.os }} \${{ matrix.node-version }} \${{ matrix.extra }} \${{ matrix.never }}' }]
`)["test"];
  expect(group).toMatchObject({ kind: "group", body: { failFast: false, parallel: 2 } });
  const expanded = expandGroup(group as GroupStep, { inputs: {}, steps: {}, run: { id: "r1", branch: "b" } }, 1);
  if (!expanded.ok) throw new Error(expanded.problem.message);
  expect(
    expanded.children.map(
      (child) => child.kind === "command" && [child.env["matrix_os"], child.env["matrix_node_version"], child.env["matrix_extra"]],
    ),
  ).toEqual([
    ["linux", "20", ""],
    ["linux", "22", "yes"],
    ["mac", "", ""],
  ]);
});

test("what is not kept is among the notes, with its line", () => {
  expect(
    notesOf(`on: push
concurrency: x
jobs:
  a:
    runs-on: windows-latest
    services: { db: {} }
    steps:
      - uses: actions/setup-node@v4
        with: { node-version: 22 }
      - { run: a, timeout-minutes: 3 }
  b:
    uses: ./other.yml
`),
  ).toEqual([
    "1 on dropped: a pipeline is started by hand, not by events",
    "2 concurrency dropped: runs are not grouped",
    "4 jobs.a.runs-on stops: runs-on: windows-latest asks for Windows; elsewhere the step fails",
    "6 jobs.a.services stops: services is not supported; start containers in a command",
    "8 jobs.a.steps[0] changed: uses: actions/setup-node@v4: what is installed on the machine is used (asked for: node-version 22)",
    "10 jobs.a.steps[1] dropped: timeout-minutes of a step: only the job has one",
    "11 jobs.b.uses stops: the reusable workflow ./other.yml is not supported; import it too, and call it with `pipeline:`",
  ]);
});
