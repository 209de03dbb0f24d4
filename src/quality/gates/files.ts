import type { GateOf } from "../../domain/index.ts";
import type { GateRun, Ruling } from "./contract.ts";

/** Each glob matches something in the commit. */
export async function filesGate(gate: GateOf<"files">, run: Pick<GateRun, "missing">): Promise<Ruling> {
  const missing = await run.missing(gate.files);
  if (missing.length === 0) return { verdict: "passed" };
  return {
    verdict: "refused",
    message: `${missing.join(", ")} ${missing.length === 1 ? "does" : "do"} not exist in the attempt's commit`,
    evidence: missing.join("\n"),
    findingEvidence: "",
  };
}
