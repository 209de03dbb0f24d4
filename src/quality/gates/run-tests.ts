import type { GateOf } from "../../domain/index.ts";
import { describeEnd } from "./command.ts";
import type { CleanTree } from "./contract.ts";
import type { TestOutcomes } from "./test-report/read.ts";

/** One run of a project's tests. */
export type TestRun =
  | {
      kind: "ran";
      code: number;
      /** Absent: it left no report, or none was asked for. */
      tests?: TestOutcomes;
      tail: string;
    }
  /** It could not be started, did not end in time, or was ended by a signal. */
  | { kind: "unrun"; how: string; tail: string }
  | { kind: "aborted" };

/** A file beside the checkout, in the folder that TMPDIR names. */
export const PRINTED = "stepfall-report";

/** Runs the command in a clean checkout and reads its report. */
export async function runTests(gate: GateOf<"regression">, tree: CleanTree): Promise<TestRun> {
  const isNamed = gate.report !== "exit-code";
  const isPrinted = isNamed && gate.reportFiles === undefined;
  if (isNamed && !isPrinted) await tree.clear(gate.reportFiles ?? []);
  // What is printed can be longer than what is kept of a command's output.
  const command = isPrinted ? `{ ${gate.command}\n} > "$TMPDIR/${PRINTED}"` : gate.command;
  const end = await tree.command(command, { name: gate.name, timeoutMs: gate.timeoutMs });
  if (end.kind === "aborted") return { kind: "aborted" };
  if (end.kind !== "exited") return { kind: "unrun", how: describeEnd(end, gate.timeoutMs), tail: end.tail };
  const ran = { kind: "ran", code: end.code ?? 0, tail: end.tail } as const;
  if (gate.report === "exit-code") return ran;
  const texts = isPrinted ? await tree.printed(PRINTED) : await tree.texts(gate.reportFiles ?? []);
  // Its parsers are loaded by those who have a report.
  const { readReport } = await import("./test-report/read.ts");
  const tests = readReport(gate.report, texts);
  const tail = isPrinted ? `${(texts[0] ?? "").slice(-4000)}\n${end.tail}`.trim() : end.tail;
  return { ...ran, tail, ...(tests ? { tests } : {}) };
}
