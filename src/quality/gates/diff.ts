import type { GateOf } from "../../domain/index.ts";
import type { GateRun, Ruling } from "./contract.ts";
import { counted, listed, matches } from "./globs.ts";

/** How much, and where, an attempt may change. About the attempt alone: it says nothing of a merged tree. */
export async function diffGate(gate: GateOf<"diff">, run: Pick<GateRun, "phase" | "changes">): Promise<Ruling> {
  if (run.phase === "merge") return { verdict: "silent" };
  const changes = await run.changes();
  const paths = changes.map((change) => change.path);
  const lines = changes.reduce((sum, change) => sum + change.added + change.removed, 0);
  const faults: string[] = [];
  if (gate.mostFiles !== undefined && changes.length > gate.mostFiles)
    faults.push(`${counted(changes.length, "file")} changed, and at most ${gate.mostFiles} may`);
  if (gate.mostLines !== undefined && lines > gate.mostLines)
    faults.push(`${counted(lines, "line")} changed (added and removed), and at most ${gate.mostLines} may`);
  const isAllowed = gate.allowed && matches(gate.allowed);
  const strays = isAllowed ? paths.filter((path) => !isAllowed(path)) : [];
  if (strays.length > 0) faults.push(`only ${listed(gate.allowed ?? [])} may change, and ${listed(strays)} did`);
  const forbidden = paths.filter(matches(gate.forbidden ?? []));
  if (forbidden.length > 0) faults.push(`${listed(forbidden)} may not change`);
  const evidence = changes.map(({ path, added, removed, binary }) => `${path} ${binary ? "(binary)" : `+${added} -${removed}`}`).join("\n");
  return faults.length === 0 ? { verdict: "passed", evidence } : { verdict: "refused", message: faults.join("; "), evidence };
}
