import type { GateOf } from "../domain/index.ts";
import { JudgeError, runJudgeGate, type Candidate, type FileChange, type JudgeGateOutcome, type Ruling } from "../quality/index.ts";
import type { Workspaces } from "../workspace/index.ts";
import { withJudges } from "./ask-judges.ts";
import type { Spender } from "./budgets.ts";
import type { EngineDeps } from "./contract.ts";
import { chooseJudges, tiersOf } from "./judges.ts";
import type { Exhausted } from "./outcome.ts";

/** More is never shown to a judge, see `maxChars` in quality/judging. */
const MOST_DIFF_BYTES = 256 * 1024;
const MOST_FILES = 20;
const MOST_FILE_BYTES = 64 * 1024;

/** Whose work is judged, and under which attempt the judges are billed. */
export interface JudgedWork extends Spender {
  /** The agent that did it. */
  agent: string;
  signal: AbortSignal;
}

/** Judges of one attempt. `exhausted`: the budget that did not let them be asked. */
export class JudgeBench {
  exhausted: Exhausted | undefined;
  readonly #deps: EngineDeps;
  readonly #work: JudgedWork;
  readonly #candidate: () => Promise<Candidate>;

  constructor(deps: EngineDeps, work: JudgedWork, candidate: () => Promise<Candidate>) {
    this.#deps = deps;
    this.#work = work;
    this.#candidate = candidate;
  }

  /** A gate that cannot be asked is `errored`, and so refuses. */
  async rule(gate: GateOf<"judge">): Promise<Ruling> {
    const { criteria, judges, stronger } = gate;
    const [first, ...more] = criteria;
    if (!first) return { verdict: "errored", message: "the rubric has no criterion" };
    const chosen = chooseJudges(this.#deps.registry, tiersOf(this.#deps), { judges, stronger }, new Set([this.#work.agent]));
    if (!chosen.ok) return { verdict: "errored", message: `${chosen.problem}. ${chosen.hint}` };
    const deadline = AbortSignal.timeout(gate.timeoutMs);
    const signal = AbortSignal.any([this.#work.signal, deadline]);
    const candidate = await this.#candidate();
    try {
      const { value, microUsd, exhausted } = await withJudges(this.#deps, this.#work, chosen, async (asking) => {
        const rubric = { criteria: [first, ...more] as const, ...(gate.passAt === undefined ? {} : { passAt: gate.passAt }) };
        const ask = (): Promise<JudgeGateOutcome> => runJudgeGate({ name: gate.name, rubric, candidate, signal, ...asking });
        const outcome = await ask();
        // A provider that failed may be well again, and the attempt should not have to pay for it.
        return outcome.verdict === "errored" && outcome.because === "no-answer" ? ask() : outcome;
      });
      this.exhausted ??= exhausted;
      return this.#rulingOf(value, { microUsd, isLate: deadline.aborted && !this.#work.signal.aborted, timeoutMs: gate.timeoutMs });
    } catch (error) {
      if (this.#work.signal.aborted) return { verdict: "aborted" };
      const said = error instanceof Error ? `${error.message}${error instanceof JudgeError ? `. ${error.hint}` : ""}` : String(error);
      return { verdict: "errored", message: this.#deps.mask(`the judges could not be asked: ${said}`) };
    }
  }

  #rulingOf(outcome: JudgeGateOutcome, { microUsd, isLate, timeoutMs }: { microUsd: number; isLate: boolean; timeoutMs: number }): Ruling {
    const mask = this.#deps.mask;
    const seen = { evidence: mask(outcome.evidence), microUsd };
    switch (outcome.verdict) {
      case "passed":
        return { verdict: "passed", ...seen };
      case "refused":
        return {
          verdict: "refused",
          message: mask(outcome.findings.map(({ message }) => message).join("; ")),
          findingEvidence: mask(
            outcome.findings.map(({ message, evidence }) => (evidence ? `${message}\n${evidence}` : message)).join("\n\n"),
          ),
          ...seen,
        };
      case "errored":
        return { verdict: "errored", message: mask(`the judges could not be asked: ${outcome.message}`), ...seen };
      case "aborted":
        if (!isLate) return { verdict: "aborted" };
        return { verdict: "errored", message: `the judges did not answer within ${Math.round(timeoutMs / 1000)} s`, ...seen };
      default:
        return outcome satisfies never;
    }
  }
}

/** The work between two commits as judges see it: the patch, and whole the files that were changed and not made anew, where they are text. */
export async function workBetween(
  workspaces: Pick<Workspaces, "diff" | "readRegular">,
  { from, to, changes }: { from: string; to: string; changes: readonly FileChange[] },
): Promise<Omit<Candidate, "prompt">> {
  if (from === to) return { diff: "" };
  const diff = await workspaces.diff(from, to, { maxBytes: MOST_DIFF_BYTES });
  const files: { path: string; text: string }[] = [];
  for (const { path, binary, removed } of changes) {
    if (files.length >= MOST_FILES) break;
    if (binary || removed === 0) continue;
    const file = await workspaces.readRegular(to, path, MOST_FILE_BYTES);
    if (file?.kind === "file") files.push({ path, text: new TextDecoder().decode(file.bytes) });
  }
  return { diff, ...(files.length > 0 ? { files } : {}) };
}
