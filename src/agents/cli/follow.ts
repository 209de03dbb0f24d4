import type { AgentHandle, ExecutionContext, Exit, ReportedTokens } from "../contract.ts";
import { LastLines } from "../last-lines.ts";
import type { Ending, Reader } from "./dialect.ts";
import { JsonLines, type ReadLine } from "./json-lines.ts";

/** All that is known of a process once it is gone. */
export interface Said {
  exit: Exit;
  ending: Ending | undefined;
  session: string | undefined;
  reported: ReportedTokens | undefined;
  /** The end of what it said in no event. */
  tail: string;
}

/** Reads what the process says until it is gone. */
export async function follow(
  handle: AgentHandle,
  reader: Reader,
  { signal, progress }: Pick<ExecutionContext, "signal" | "progress">,
): Promise<Said> {
  const lines = new JsonLines();
  const tail = new LastLines(20);
  const take = (read: ReadLine): void => {
    if (read.kind === "event") return reader.event(read.event).forEach(progress);
    reader.noise(read.line);
    if (read.line.trim() !== "") tail.add(read.line);
  };
  const reading = (async () => {
    for await (const line of handle.lines()) {
      if (line.stream === "stdout") lines.push(line.text).forEach(take);
      else take({ kind: "noise", line: line.text });
    }
    lines.end().forEach(take);
  })();
  const exit = await handle.settle(signal);
  await reading;
  return { exit, ending: reader.ending(), session: reader.session, reported: reader.reported(), tail: tail.text };
}
