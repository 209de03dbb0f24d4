/** How a command of ours ended, as far as it matters here. */
export interface TeardownEnd {
  kind: "exited" | "deadline" | "aborted" | "crashed" | "unstartable";
  code?: number;
  /** The last lines of its output, secrets masked. */
  tail: string;
}

/** Of one command, and of all commands of one place together. */
const ONE_MS = 30_000;
const ALL_MS = 60_000;

/**
 * Runs teardown commands one after the other, a later one also when an earlier one failed. Never rejects, and takes a minute at most: it
 * comes after the work, and the work's outcome is none of its business. Answers a notice for each that failed.
 *
 * `run` must not end with the attempt's own signal: teardown is wanted most when that has aborted.
 */
export async function tearDown(
  commands: readonly string[],
  run: (command: string, timeoutMs: number) => Promise<TeardownEnd>,
  limits: { oneMs?: number; allMs?: number; now?: () => number } = {},
): Promise<string[]> {
  const { oneMs = ONE_MS, allMs = ALL_MS, now = () => performance.now() } = limits;
  const began = now();
  const notices: string[] = [];
  for (const command of commands) {
    const left = allMs - (now() - began);
    if (left <= 0) {
      notices.push(`teardown \`${command}\` was not run: those before it took ${allMs / 1000} s`);
      continue;
    }
    const timeoutMs = Math.min(oneMs, left);
    try {
      const said = sentence(command, await run(command, timeoutMs), timeoutMs);
      if (said !== undefined) notices.push(said);
    } catch (error) {
      notices.push(`teardown \`${command}\` could not be run: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return notices;
}

function sentence(command: string, end: TeardownEnd, timeoutMs: number): string | undefined {
  const last = end.tail.trimEnd().split("\n").slice(-5).join("\n");
  const told = (what: string): string => `teardown \`${command}\` ${what}${last === "" ? "" : `\n${last}`}`;
  switch (end.kind) {
    case "exited":
      return end.code === 0 ? undefined : told(`exits ${end.code}`);
    case "deadline":
      return told(`did not end within ${Math.round(timeoutMs / 100) / 10} s`);
    case "aborted":
      return told("was stopped");
    case "crashed":
      return told("was ended by a signal or wrote without end");
    case "unstartable":
      return told("could not be started");
    default:
      return end.kind satisfies never;
  }
}
