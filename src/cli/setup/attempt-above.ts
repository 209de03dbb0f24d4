import { readFileSync } from "node:fs";

const VARIABLE = "STEPFALL_ATTEMPT";

/**
 * The attempt whose agent has started this process, if one has: by our environment, or by that of a process above us, since clients hand on little of
 * theirs to the servers they start. `undefined`: none, as far as can be seen (other systems than Linux show only our own environment).
 */
export function attemptAbove(env: Readonly<Record<string, string | undefined>>, pid = process.ppid): string | undefined {
  const own = env[VARIABLE];
  if (own !== undefined) return own;
  for (const seen = new Set<number>(); pid > 1 && !seen.has(pid); pid = parentOf(pid)) {
    seen.add(pid);
    const line = textOf(`/proc/${pid}/environ`)
      .split("\0")
      .find((entry) => entry.startsWith(`${VARIABLE}=`));
    if (line !== undefined) return line.slice(VARIABLE.length + 1);
  }
  return undefined;
}

const parentOf = (pid: number): number => {
  const stat = textOf(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything.
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
};

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
