import type { GateOf, Step } from "../../domain/index.ts";
import type { GateRun, JudgedFile, Ruling } from "./contract.ts";
import { listed, matches } from "./globs.ts";
import { placeholderIn } from "./placeholder.ts";

const hasWildcard = (glob: string): boolean => /[*?[\]{}()!+@|]/.test(glob) || glob.endsWith("/");

/**
 * Every declared output is this attempt's work, and it did nothing beside: each was created or changed, holds something that is no
 * placeholder, and only `outputs`, `touches` and what the gate allows changed. About the attempt alone: silent on a merged tree.
 */
export async function coverageGate(
  gate: GateOf<"coverage">,
  step: Pick<Step, "outputs" | "touches">,
  run: Pick<GateRun, "phase" | "changes" | "file" | "tree" | "from">,
): Promise<Ruling> {
  if (run.phase === "merge") return { verdict: "silent" };
  const declared = [...step.outputs.files, ...(step.outputs.json ? [step.outputs.json.file] : [])];
  const paths = (await run.changes()).map((change) => change.path);
  const faults: string[] = [];
  for (const output of declared) {
    const fault = await faultOf(output, paths.filter(matches([output])), run);
    if (fault !== undefined) faults.push(fault);
  }
  const isExpected = matches([...declared, ...step.touches, ...gate.allowed]);
  const strays = paths.filter((path) => !isExpected(path));
  if (strays.length > 0)
    faults.push(`${listed(strays)} changed, which ${strays.length === 1 ? "is none" : "are none"} of the step's outputs or \`touches\``);
  const evidence = paths.join("\n");
  return faults.length === 0 ? { verdict: "passed", evidence } : { verdict: "refused", message: faults.join("; "), evidence };
}

/** What is wrong with one declared output. A glob is covered by one file that is work; the others of it may be anything. */
async function faultOf(
  output: string,
  changed: readonly string[],
  run: Pick<GateRun, "file" | "tree" | "from">,
): Promise<string | undefined> {
  let because: string | undefined;
  for (const path of changed) {
    const file = await run.file(run.tree, path);
    if (!file) continue;
    // What is no text is work.
    if (file.kind !== "file" || file.bytes.includes(0)) return undefined;
    const fault = placeholderIn(path, decode(file), decode(await run.file(run.from, path)));
    if (fault === undefined) return undefined;
    because ??= `${path}: ${fault}`;
  }
  if (because === undefined) return `declared output ${output} was not created or changed by this attempt`;
  return hasWildcard(output) && changed.length > 1
    ? `no file of the declared output ${output} holds work: ${because}`
    : `declared output ${because}`;
}

const decode = (file: JudgedFile | undefined): string => (file?.kind === "file" ? new TextDecoder().decode(file.bytes) : "");
