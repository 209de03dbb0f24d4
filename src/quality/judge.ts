import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Finding, GateResult, Step } from "../domain/index.ts";
import { scriptsRun } from "./gates/protected.ts";
import type { GateRun } from "./gates/contract.ts";
import { runGates } from "./gates/run.ts";

/** All that `judge` may know of an attempt: what is in git, and a way to run commands in a clean checkout of it. */
export interface JudgeRequest {
  step: Step;
  /** The attempt's commit; absent when nothing changed. */
  commit?: string | undefined;
  changed: readonly string[];
  dropped: readonly string[];
  refused: readonly { path: string; reason: string }[];
  /** Declared outputs that exist in the workspace but not in git, because .gitignore names them. */
  ignored: readonly string[];
  /** Its `tree` is the commit that stands for the result: `commit`, or where the attempt started. */
  gates: GateRun;
}

export type Judged =
  | { verdict: "accepted"; gates: GateResult[]; output?: unknown }
  | { verdict: "rejected"; gates: GateResult[]; findings: Finding[] }
  | { verdict: "aborted" };

/**
 * The completion contract, then the gates. A step is done when its declared outputs are in git and its gates pass; what
 * the agent says plays no part. Gates run only when the contract holds: they cost time, and their answer would not change anything.
 */
export async function judge(request: JudgeRequest): Promise<Judged> {
  const { step } = request;
  const findings: Finding[] = [];
  for (const { path, reason } of request.refused) findings.push({ gate: "contract", message: `${path}: ${reason}` });

  // Its structured output is read and not merged.
  const touched = step.readonly ? request.changed.filter((path) => path !== step.outputs.json?.file) : [];
  if (touched.length > 0)
    findings.push({
      gate: "contract",
      message: `the step is readonly and ${count(touched, "file")} changed`,
      evidence: touched.slice(0, 20).join("\n"),
    });
  if (!step.readonly && step.kind === "agent" && request.commit === undefined && findings.length === 0) {
    findings.push({
      gate: "contract",
      message:
        request.dropped.length > 0
          ? `nothing changed but protected files, and those changes were dropped: ${request.dropped.join(", ")}. They judge this step; change what they test (a step that is meant to change them says \`protected: []\`)`
          : "the agent says it is done, and no file changed",
    });
  }

  for (const glob of await request.gates.missing(step.outputs.files)) {
    const hidden = request.ignored.includes(glob);
    findings.push({
      gate: "contract",
      message: hidden ? `declared output ${glob} is ignored by .gitignore, so it is not in git` : `declared output ${glob} does not exist`,
    });
  }
  let output: unknown;
  if (step.outputs.json) {
    const read = await readJson(request, step.outputs.json);
    if ("problem" in read) findings.push({ gate: "contract", message: read.problem });
    else output = read.value;
  }
  findings.push(...(await changedScripts(request)));
  if (findings.length > 0) return { verdict: "rejected", gates: [], findings };

  const run = await runGates(step, request.gates);
  if (run.aborted) return { verdict: "aborted" };
  if (run.findings.length > 0) return { verdict: "rejected", gates: run.gates, findings: run.findings };
  return { verdict: "accepted", gates: run.gates, ...(output === undefined ? {} : { output }) };
}

async function readJson(
  request: JudgeRequest,
  declared: { file: string; schema: Record<string, unknown> },
): Promise<{ value: unknown } | { problem: string }> {
  const bytes = await request.gates.read(request.gates.tree, declared.file);
  if (!bytes) return { problem: `declared output ${declared.file} does not exist` };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    return { problem: `${declared.file} is not JSON: ${(error as Error).message}` };
  }
  const draft2020 = typeof declared.schema["$schema"] === "string" && declared.schema["$schema"].includes("2020-12");
  const ajv = draft2020 ? new Ajv2020({ allErrors: true, strict: false }) : new Ajv({ allErrors: true, strict: false });
  const validate = ajv.compile(declared.schema);
  if (validate(value)) return { value };
  return { problem: `${declared.file} does not satisfy its schema: ${ajv.errorsText(validate.errors, { dataVar: declared.file })}` };
}

/** A gate such as `npm test` runs what package.json says: those scripts must be what they were. */
async function changedScripts(request: JudgeRequest): Promise<Finding[]> {
  if (!request.changed.includes("package.json")) return [];
  const names = new Set(request.step.gates.flatMap((g) => (g.kind === "command" || g.kind === "regression" ? scriptsRun(g.command) : [])));
  if (names.size === 0) return [];
  const before = scripts(await request.gates.read(request.gates.from, "package.json"));
  const after = scripts(await request.gates.read(request.gates.tree, "package.json"));
  return [...names]
    .filter((name) => before[name] !== undefined && before[name] !== after[name])
    .map((name) => ({
      gate: "contract",
      message: `package.json: script "${name}" judges this step and was changed; put it back`,
      evidence: `was: ${before[name]}\nis:  ${after[name] ?? "(removed)"}`,
    }));
}

function scripts(bytes: Uint8Array | undefined): Record<string, string> {
  if (!bytes) return {};
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const found = (parsed as { scripts?: unknown } | null)?.scripts;
    return typeof found === "object" && found !== null ? (found as Record<string, string>) : {};
  } catch {
    return {};
  }
}

const count = (list: readonly unknown[], noun: string): string => `${list.length} ${noun}${list.length === 1 ? "" : "s"}`;
