import type { GateOf, Step } from "../../domain/index.ts";
import type { CleanTree, GateRun, Ruling } from "./contract.ts";
import { counted, listed } from "./globs.ts";
import { runTests, type TestRun } from "./run-tests.ts";
import type { TestOutcomes } from "./test-report/read.ts";

type Regression = GateOf<"regression">;
type Ran = Extract<TestRun, { kind: "ran" }>;

/**
 * Tests that passed at the commit the attempt started from still pass. What failed there is not held against the attempt. Runs on a merged tree
 * too, against the tip it is merged on.
 */
export async function regressionGate(
  gate: Regression,
  step: Pick<Step, "env" | "setup">,
  run: Pick<GateRun, "tree" | "from" | "judged" | "before" | "once">,
): Promise<Ruling> {
  if (run.tree === run.from) return { verdict: "passed", evidence: "nothing changed" };
  // Whatever may change what the command does there.
  const key = JSON.stringify(["regression", run.from, gate.command, gate.report, gate.reportFiles, gate.timeoutMs, step.env, step.setup]);
  const before = await run.once(
    key,
    () => runTests(gate, run.before),
    ({ kind }) => kind === "ran",
  );
  if (before.kind === "aborted") return { verdict: "aborted" };
  if (before.kind === "unrun")
    return {
      verdict: "errored",
      message: `\`${gate.command}\` ${before.how}, at the commit the attempt started from`,
      evidence: before.tail,
    };
  return gate.report === "exit-code" ? judgeByExitCode(gate, before, run.judged) : judgeByName(gate, before, run.judged);
}

async function judgeByExitCode(gate: Regression, before: Ran, judged: CleanTree): Promise<Ruling> {
  if (before.code !== 0)
    return {
      verdict: "passed",
      evidence: `\`${gate.command}\` exits ${before.code} before the attempt too: it cannot tell what the attempt broke`,
    };
  const after = await runTests(gate, judged);
  if (after.kind === "aborted") return { verdict: "aborted" };
  if (after.kind === "unrun") return unrun(gate, after);
  if (after.code === 0) return { verdict: "passed" };
  return { verdict: "refused", message: `\`${gate.command}\` passed before the attempt and exits ${after.code} now`, evidence: after.tail };
}

const unrun = (gate: Regression, { how, tail }: Extract<TestRun, { kind: "unrun" }>): Ruling => ({
  verdict: "errored",
  message: `\`${gate.command}\` ${how}`,
  evidence: tail,
});

async function judgeByName(gate: Regression, before: Ran, judged: CleanTree): Promise<Ruling> {
  const passing = [...(before.tests ?? new Map())].flatMap(([name, outcome]) => (outcome === "passed" ? [name as string] : []));
  const after = await runTests(gate, judged);
  if (after.kind === "aborted") return { verdict: "aborted" };
  if (after.kind === "unrun") return unrun(gate, after);
  if (!after.tests && !before.tests)
    return {
      verdict: "errored",
      message: `\`${gate.command}\` left no ${gate.report} report${where(gate)}, before the attempt or after it: see the gate's \`format\` and \`report\``,
      evidence: after.tail,
    };
  const lost = losses(passing, after.tests);
  if (lost.length === 0) return { verdict: "passed", evidence: `${counted(passing.length, "test")} passed before, and pass` };
  // Some tests fail now and then by themselves: what fails is run once more before it counts.
  const again = await runTests(gate, judged);
  if (again.kind === "aborted") return { verdict: "aborted" };
  if (again.kind === "unrun") return unrun(gate, again);
  const still = losses(lost, again.tests);
  const flaky = lost.filter((name) => !still.includes(name));
  const notes = flaky.length > 0 ? [`failed once, and passed when run again: ${listed(flaky, 20)}`] : [];
  if (still.length === 0)
    return { verdict: "passed", evidence: [`${counted(passing.length, "test")} passed before, and pass`, ...notes].join("\n") };
  if (!again.tests)
    return {
      verdict: "refused",
      message: `\`${gate.command}\` leaves no report any more${where(gate)}; ${counted(passing.length, "test")} passed before`,
      evidence: again.tail,
    };
  return { verdict: "refused", message: describeLosses(still, again.tests), evidence: [...notes, again.tail].join("\n") };
}

const where = (gate: Regression): string => (gate.reportFiles ? ` at ${gate.reportFiles.join(", ")}` : "");

const losses = (names: readonly string[], outcomes: TestOutcomes | undefined): string[] =>
  names.filter((name) => outcomes?.get(name) !== "passed");

function describeLosses(names: readonly string[], outcomes: TestOutcomes): string {
  const groups = Map.groupBy(names, (name) => outcomes.get(name));
  const part = (those: readonly string[] | undefined, what: string): string[] => (those ? [`${what}: ${listed(those, 10)}`] : []);
  return [
    `${counted(names.length, "test")} that passed before ${names.length === 1 ? "does" : "do"} not pass now`,
    ...part(groups.get("failed"), "failing"),
    ...part(groups.get("skipped"), "skipped"),
    ...part(groups.get(undefined), "gone (renamed, deleted or not run)"),
  ].join("; ");
}
