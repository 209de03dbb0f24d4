import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { importActions } from "./index.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stepfall-import-"));
  mkdirSync(join(dir, "project"));
  mkdirSync(join(dir, "tmp"));
  writeFileSync(join(dir, "project/a.txt"), "hello\n");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Step {
  command: string;
  env?: Record<string, string>;
}

function stepOf(job: string): Step {
  const imported = importActions(`jobs:\n  job:\n${job.replace(/^/gm, "    ")}`, "ci.yml");
  if (!imported.ok) throw new Error(JSON.stringify(imported.problems));
  return (parse(imported.pipeline) as { steps: { job: Step } }).steps.job;
}

/** Runs a job's command as the shell executor does. `env`: what the expressions of its variables came to. */
function run(job: string, env: Record<string, string> = {}): { code: number | null; out: string; err: string } {
  const done = spawnSync("sh", ["-c", stepOf(job).command], {
    cwd: join(dir, "project"),
    env: { PATH: process.env["PATH"], TMPDIR: join(dir, "tmp"), ...env },
    encoding: "utf8",
  });
  return { code: done.status, out: done.stdout, err: done.stderr };
}
const steps = (...lines: string[]): string => `steps:\n${lines.map((line) => `  - ${line.replaceAll("\n", "\n    ")}`).join("\n")}`;

describe("the command of an imported job", () => {
  test("runs its steps in order, each in a shell of its own", () => {
    const done = run(steps("run: cd /; export X=1; echo one", "run: echo two ${X-unset}; cat a.txt", "uses: actions/checkout@v4"));
    expect(done).toEqual({ code: 0, out: "one\ntwo unset\nhello\n", err: "" });
  });

  test("works on a copy: what a job leaves behind ends with it", () => {
    expect(run(steps("run: echo bye > a.txt; echo new > b.txt", "run: cat a.txt b.txt")).out).toBe("bye\nnew\n");
    expect(readFileSync(join(dir, "project/a.txt"), "utf8")).toBe("hello\n");
    expect(readdirSync(join(dir, "project"))).toEqual(["a.txt"]);
    expect(readdirSync(join(dir, "tmp"))).toEqual([]);
  });

  test("ends with a step's first failing line; what comes after it is not run, but for always() and failure()", () => {
    const done = run(
      steps(
        "name: breaks\nrun: |\n  echo one\n  false\n  echo never",
        "run: echo never",
        "if: always()\nrun: echo always",
        "if: ${{ failure() }}\nrun: echo failure",
      ),
    );
    expect(done.code).toBe(1);
    expect(done.out).toBe("one\nalways\nfailure\n");
    expect(done.err).toBe("failed: breaks (line 4)\n");
  });

  test("a step that may fail does not fail the job, and later ones see how it ended", () => {
    const done = run(steps("id: t\ncontinue-on-error: true\nrun: exit 3", "if: steps.t.outcome == 'failure'\nrun: echo it failed"));
    expect([done.code, done.out]).toEqual([0, "it failed\n"]);
  });

  test("outputs, variables and paths reach the steps after", () => {
    const done = run(
      steps(
        `id: make-it\nrun: |\n  echo "tag=v1 \\"x\\"" >> "$GITHUB_OUTPUT"\n  printf 'notes<<END\\none\\ntwo\\nEND\\n' >> "$GITHUB_OUTPUT"\n  echo "COLOR=green" >> $GITHUB_ENV`,
        `run: |\n  mkdir tools; printf '#!/bin/sh\\necho tool' > tools/mytool; chmod +x tools/mytool\n  echo "$PWD/tools" >> $GITHUB_PATH`,
        `env: { NOTES: "\${{ steps.make-it.outputs.notes }}" }\nrun: echo '\${{ steps.make-it.outputs.tag }}' "\${{ env.COLOR }}" $COLOR; mytool; echo "$NOTES"`,
        "if: steps.make-it.outputs.tag != 'v2' && steps.make-it.outputs.none == ''\nrun: echo yes",
      ),
    );
    expect(done).toEqual({ code: 0, out: 'v1 "x" green green\ntool\none\ntwo\nyes\n', err: "" });
  });

  test("defaults, folders, variables and other shells", () => {
    mkdirSync(join(dir, "project/sub"));
    const done = run(
      `env: { A: job }\ndefaults: { run: { working-directory: sub } }\n${steps(
        'run: echo "$A $(basename "$PWD")"',
        "env: { A: step }\nworking-directory: .\nshell: sh\nrun: echo $A",
        "shell: bash\nrun: false | true",
      )}`,
      { A: "job" },
    );
    expect([done.code, done.out]).toEqual([1, "job sub\nstep\n"]);
  });

  test("stops with a sentence at what it cannot do", () => {
    const done = run(steps("run: echo one", "uses: some/action@v1", "run: echo never"));
    expect([done.code, done.out]).toEqual([1, "one\n"]);
    expect(done.err).toContain("jobs.job.steps[1] (line 5): uses: some/action@v1 is not supported");
    expect(run(`container: node:20\n${steps("run: echo never")}`)).toMatchObject({ code: 1, out: "" });
    expect(run("uses: ./other.yml").err).toContain("the reusable workflow ./other.yml is not supported");
    expect(run(steps("run: echo ${{ hashFiles('x') }}")).err).toContain("hashfiles() is not supported yet");
    expect(run(steps("run: |\n  cat <<'X'\n  ${{ matrix.a }}\n  X")).code).toBe(1);
    expect(run(steps("uses: actions/checkout@v4\nwith: { ref: v1 }")).err).toContain("actions/checkout@v4 with ref is not supported");
    expect(run(steps("shell: python\nrun: print('${{ matrix.a }}')")).err).toContain("a script for python3 {0} is not supported yet");
    expect(run(`runs-on: windows-latest\n${steps("run: echo never")}`).err).toContain("asks for Windows");
  });

  test("a step that would have been skipped does not stop it", () => {
    const skipped = steps("if: github.event_name == 'push'\nuses: some/action@v1", "run: echo two");
    expect(stepOf(skipped).env).toEqual({ github_event_name: "${{ inputs.github_event_name }}" });
    expect(run(skipped, { github_event_name: "workflow_dispatch" })).toMatchObject({ code: 0, out: "two\n" });
    expect(run(skipped, { github_event_name: "push" })).toMatchObject({ code: 1, out: "" });
  });

  test("conditions on values: contains, startsWith, not, and, or, defaults", () => {
    const job = steps(
      "if: contains(matrix.os, 'win') && !startsWith(matrix.os, 'linux')\nrun: echo windows",
      "if: (matrix.os == 'linux' || endsWith(matrix.os, 'x')) && matrix.fast == true\nrun: echo fast",
      "if: matrix.slow\nrun: echo slow",
      "run: echo ${{ matrix.slow || 'none' }} ${{ matrix.fast && 'quick' || 'lame' }}",
    );
    const strategy = "strategy: { matrix: { os: [linux, windows], fast: [true], slow: [''] } }";
    const env = stepOf(`${strategy}\n${job}`).env ?? {};
    expect(env).toMatchObject({ matrix_os: "${{ matrix.os }}", matrix_fast: "${{ matrix.fast }}" });
    expect(run(`${strategy}\n${job}`, { matrix_os: "linux", matrix_fast: "true", matrix_slow: "" }).out).toBe("fast\nnone quick\n");
    expect(run(`${strategy}\n${job}`, { matrix_os: "windows", matrix_fast: "false", matrix_slow: "1" }).out).toBe(
      "windows\nslow\n1 lame\n",
    );
  });

  test("outputs that other jobs read are written as JSON, once the job succeeded", () => {
    const yaml = `
jobs:
  plan:
    outputs: { list: "\${{ steps.s.outputs.list }}", Name: "\${{ steps.s.outputs.name }}" }
    steps:
      - { id: s, run: "echo 'list=[1, 2]' >> $GITHUB_OUTPUT; echo 'name=a \\"b\\" \\\\c' >> $GITHUB_OUTPUT" }
  use:
    needs: plan
    strategy: { matrix: { n: "\${{ fromJSON(needs.plan.outputs.list) }}" } }
    steps: [{ run: "echo \${{ needs.plan.outputs.Name }}" }]
`;
    const imported = importActions(yaml, "ci.yml");
    if (!imported.ok) throw new Error(JSON.stringify(imported.problems));
    const pipeline = parse(imported.pipeline) as { steps: { plan: Step; use: Step & { matrix: unknown } } };
    const done = spawnSync("sh", ["-c", pipeline.steps.plan.command], { cwd: join(dir, "project"), encoding: "utf8" });
    expect(done.stderr).toBe("");
    const file = join(dir, "project/.stepfall/outputs/plan.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ list: "[1, 2]", list__json: [1, 2], Name: 'a "b" \\c' });
    expect(pipeline.steps.use.matrix).toEqual({ n: "${{ steps.plan.output.list__json }}" });
    expect(pipeline.steps.use.env).toEqual({ needs_plan_name: "${{ steps.plan.output.Name }}" });
    expect(existsSync(join(dir, "project/a.txt"))).toBe(true);
  });
});

test("no value of an expression is ever read as shell, whatever quotes it stands in", () => {
  const job = steps(
    `run: |\n  printf '%s|' "\${{ matrix.v }}" 'x\${{ matrix.v }}' "$(printf '%s' "\${{ matrix.v }}")"\n  cat <<END\n  \${{ matrix.v }}\n  END`,
  );
  const { command } = stepOf(`strategy: { matrix: { v: [a] } }\n${job}`);
  const nasty = fc.constantFrom("$(touch hit)", "`touch hit`", "'; touch hit; '", '"; touch hit; "', "END_OF_STEP", "\\", "${HOME}", "END");
  const text = fc
    .array(fc.oneof(nasty, fc.string({ unit: fc.constantFrom(..."ab '\"\\$`;&|<>(){}*?!#~=-") })), { maxLength: 4 })
    .map((all) => all.join(" "));
  fc.assert(
    fc.property(text, (value) => {
      const done = spawnSync("sh", ["-c", command], {
        cwd: join(dir, "project"),
        env: { PATH: process.env["PATH"], TMPDIR: join(dir, "tmp"), matrix_v: value },
        encoding: "utf8",
      });
      expect(done.stdout).toBe(`${value}|x${value}|${value}|${value}\n`);
      expect(readdirSync(join(dir, "project"))).toEqual(["a.txt"]);
    }),
    { numRuns: 30 },
  );
});
