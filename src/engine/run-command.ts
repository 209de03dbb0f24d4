import type { AgentHost, Confine } from "../agents/index.ts";
import type { CommandEnd } from "../quality/index.ts";

const TAIL_LINES = 60;
const TAIL_BYTES = 8 * 1024;

/** Runs one of our shell commands (setup, a gate) for an attempt and keeps the end of what it printed. */
export async function runCommand(
  host: AgentHost,
  command: string,
  options: {
    attempt: string;
    role: string;
    cwd: string;
    env: Readonly<Record<string, string>>;
    timeoutMs: number;
    transcript: string;
    signal: AbortSignal;
    confine?: Confine;
  },
): Promise<CommandEnd> {
  const { signal, timeoutMs, ...rest } = options;
  if (signal.aborted) return { kind: "aborted", durationMs: 0, tail: "" };
  const handle = await host.spawn({ ...rest, argv: ["sh", "-c", command], deadlineMs: timeoutMs });
  const tail: string[] = [];
  const reading = (async () => {
    for await (const line of handle.lines()) {
      tail.push(line.text);
      if (tail.length > TAIL_LINES) tail.shift();
    }
  })();
  const exit = await handle.settle(signal);
  await reading;
  const end = { durationMs: exit.durationMs, tail: cut(tail.join("\n")) };
  switch (exit.kind) {
    case "exited":
      return { kind: "exited", code: exit.code, ...end };
    case "deadline":
      return { kind: "deadline", ...end };
    case "aborted":
      return { kind: "aborted", ...end };
    case "signalled":
    case "flooded":
      return { kind: "crashed", ...end };
    case "unstartable":
      return { kind: "unstartable", durationMs: exit.durationMs, tail: exit.message };
    default:
      return exit satisfies never;
  }
}

const cut = (text: string): string => (text.length > TAIL_BYTES ? `…${text.slice(-TAIL_BYTES)}` : text);
