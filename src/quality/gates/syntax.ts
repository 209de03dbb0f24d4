import type { GateOf } from "../../domain/index.ts";
import { introduced, parseText, type Parsed } from "../syntax/check.ts";
import type { Fault } from "../syntax/fault.ts";
import { languageOf } from "../syntax/languages.ts";
import type { GateRun, Ruling } from "./contract.ts";
import { counted, listed, matches } from "./globs.ts";

const MOST_SHOWN = 20;

/**
 * What was changed can still be parsed. A file that could not be parsed before, and is no worse now, is not held against the attempt. Runs on a
 * merged tree too: two changes that parse may make one that does not.
 */
export async function syntaxGate(gate: GateOf<"syntax">, run: Pick<GateRun, "changes" | "file" | "tree" | "from">): Promise<Ruling> {
  const isMeant = gate.files ? matches(gate.files) : () => true;
  const isExcepted = matches(gate.except);
  const paths = (await run.changes()).map((change) => change.path).filter((path) => languageOf(path) && isMeant(path) && !isExcepted(path));
  const faults: string[] = [];
  const broken: string[] = [];
  const unchecked: string[] = [];
  let checked = 0;
  for (const path of paths) {
    const after = await parsedAt(run, run.tree, path);
    if (!after) continue;
    if (after.kind === "unchecked") {
      unchecked.push(`${path} (${reason[after.because]})`);
      continue;
    }
    checked += 1;
    const fresh = after.faults.length === 0 ? [] : introduced(await faultsAt(run, run.from, path), after.faults);
    if (fresh.length === 0) continue;
    broken.push(path);
    faults.push(...fresh.map(({ line, message, excerpt }) => `${path}:${line}: ${after.language}: ${message}\n    ${excerpt}`));
  }
  const notes = unchecked.length > 0 ? [`not checked: ${listed(unchecked)}`] : [];
  if (faults.length === 0) return { verdict: "passed", evidence: [`${counted(checked, "file")} parsed`, ...notes].join("\n") };
  const more = faults.length > MOST_SHOWN ? [`and ${faults.length - MOST_SHOWN} more`] : [];
  return {
    verdict: "refused",
    message: `${listed(broken)} cannot be parsed after this change`,
    evidence: [...faults.slice(0, MOST_SHOWN), ...more, ...notes].join("\n"),
  };
}

const reason: Readonly<Record<Extract<Parsed, { kind: "unchecked" }>["because"], string>> = {
  language: "a language that is not known here",
  size: "larger than 512 kB",
  depth: "nested too deep, or too long to parse",
  template: "a template",
  binary: "not text",
};

/** `undefined`: there is no such file, or it is a link, whose text is a name. */
async function parsedAt(run: Pick<GateRun, "file">, commit: string, path: string): Promise<Parsed | undefined> {
  const file = await run.file(commit, path);
  if (!file || file.kind === "link") return undefined;
  return file.kind === "large" ? { kind: "unchecked", because: "size" } : parseText(path, new TextDecoder().decode(file.bytes));
}

async function faultsAt(run: Pick<GateRun, "file">, commit: string, path: string): Promise<readonly Fault[]> {
  const parsed = await parsedAt(run, commit, path);
  return parsed?.kind === "parsed" ? parsed.faults : [];
}
