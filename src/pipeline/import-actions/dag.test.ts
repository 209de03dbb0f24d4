import { describe, expect, test } from "vitest";
import type { ActionsDag, ImportProblem } from "./contract.ts";
import { importActions } from "./index.ts";

function dagOf(yaml: string): ActionsDag {
  const imported = importActions(yaml, "ci.yml");
  if (!imported.ok) throw new Error(JSON.stringify(imported.problems));
  return imported.dag;
}
function problemsOf(yaml: string): ImportProblem[] {
  const imported = importActions(yaml, "ci.yml");
  return imported.ok ? [] : imported.problems;
}
const matrixOf = (matrix: string): unknown =>
  dagOf(`jobs:\n  test:\n    strategy:\n      matrix:\n${matrix.replace(/^/gm, "        ")}\n    steps: [{ run: "true" }]`).jobs[0]?.matrix
    ?.combinations;

describe("the DAG of a workflow", () => {
  test("needs is a text or a list, and a job named twice is needed once", () => {
    const dag = dagOf(`
on: push
jobs:
  lint: { steps: [{ run: a }] }
  test: { needs: lint, steps: [{ run: b }] }
  ship: { needs: [test, lint, test], steps: [{ run: c }] }
`);
    expect(dag.jobs.map((job) => job.needs)).toEqual([[], ["lint"], ["test", "lint"]]);
    expect(dag.edges).toEqual([
      { from: "lint", to: "test" },
      { from: "test", to: "ship" },
      { from: "lint", to: "ship" },
    ]);
  });

  test("a job keeps what it says of itself, word for word", () => {
    const [job] = dagOf(`
true: [push]
jobs:
  Call_Me:
    if: \${{ github.ref == 'refs/heads/main' }}
    uses: ./.github/workflows/other.yml
    timeout-minutes: \${{ inputs.minutes }}
    continue-on-error: true
`).jobs;
    expect(job).toEqual({
      id: "Call_Me",
      needs: [],
      if: "${{ github.ref == 'refs/heads/main' }}",
      uses: "./.github/workflows/other.yml",
      timeoutMinutes: "${{ inputs.minutes }}",
      continueOnError: true,
      steps: 0,
      stepIfs: 0,
    });
  });

  test("anchors and merged maps count like what they stand for", () => {
    const dag = dagOf(`
jobs:
  a: &job
    steps: &steps
      - { run: one, if: always() }
      - { run: two }
  b: { <<: *job, needs: a }
  c: { needs: [a], steps: *steps }
`);
    expect(dag.jobs.map((job) => [job.needs, job.steps, job.stepIfs])).toEqual([
      [[], 2, 1],
      [["a"], 2, 1],
      [["a"], 2, 1],
    ]);
  });
});

describe("a matrix becomes as many jobs as at GitHub", () => {
  test("axes are multiplied, exclude takes away", () => {
    expect(matrixOf("os: [linux, mac]\nnode: [20, 22, 24]")).toBe(6);
    expect(matrixOf("os: [linux, mac]\nnode: [20, 22, 24]\nexclude: [{ os: Mac, node: 20 }, { node: 24 }]")).toBe(3);
  });
  test("an entry of include joins the combinations it does not contradict, or is one more", () => {
    expect(matrixOf("os: [linux, mac]\ninclude: [{ os: mac, fast: true }, { color: green }]")).toBe(2);
    expect(matrixOf("os: [linux, mac]\ninclude: [{ os: windows }, { os: linux, node: 18 }]")).toBe(3);
    expect(matrixOf("os: [linux]\nexclude: [{ os: linux }]\ninclude: [{ os: linux, node: 18 }]")).toBe(1);
  });
  test("with nothing but include each entry is a job", () => {
    expect(matrixOf("include: [{ a: 1 }, { a: 2 }, { b: 3 }]")).toBe(3);
  });
  test("a list that an expression spells out is known, one that a job computes is not", () => {
    expect(matrixOf(`os: \${{ fromJSON('["a", "b"]') }}\nnode: [1, 2]`)).toBe(4);
    expect(matrixOf("os: ${{ fromJSON(needs.plan.outputs.os) }}")).toBeUndefined();
    expect(matrixOf("include: ${{ fromJson(needs.plan.outputs.all) }}")).toBeUndefined();
  });
  test("a matrix far above what GitHub allows is not multiplied out", () => {
    const axis = JSON.stringify(Array.from({ length: 1000 }, (_, i) => i));
    expect(matrixOf(`a: ${axis}\nb: ${axis}\nc: ${axis}`)).toBeUndefined();
  });
});

describe("what makes no DAG is refused with its place", () => {
  test("a cycle is named", () => {
    const [problem] = problemsOf("jobs:\n  a: { needs: c }\n  b: { needs: a }\n  c: { needs: b }\n  d: {}");
    expect(problem).toMatchObject({ code: "PIPELINE_CYCLE", message: "a -> c -> b -> a", line: 2 });
  });
  test("a need that is no job, with the nearest that is one", () => {
    expect(problemsOf("jobs:\n  build: {}\n  test: { needs: [biuld] }")).toMatchObject([
      { code: "UNKNOWN_NEED", line: 3, hint: "Did you mean `build`?" },
    ]);
  });
  test("a job that needs itself, a file without jobs, a key given twice, and no YAML", () => {
    expect(problemsOf("jobs:\n  a: { needs: a }")[0]?.code).toBe("SELF_NEED");
    expect(problemsOf("on: push")[0]?.code).toBe("NO_JOBS");
    expect(problemsOf("jobs: [a, b]")[0]?.code).toBe("NO_JOBS");
    expect(problemsOf("")[0]?.code).toBe("NO_JOBS");
    expect(problemsOf("jobs:\n  a: {}\n  a: {}")[0]).toMatchObject({ code: "DUPLICATE_KEY", line: 3 });
    expect(problemsOf("jobs: {a: [")[0]?.line).toBeGreaterThan(0);
  });
});
