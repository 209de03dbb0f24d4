import { readFileSync } from "node:fs";
import { z } from "zod";
import { LivenessWatch, type LivenessItem, type WatchOptions } from "./watch.ts";

/**
 * What gemini 0.61 and qwen 0.24 really printed over ACP against a scripted model, with the calls as the gateway noted them; times are ms from
 * the start. Lines without a tool call are kept by their size only, and what tells the machine is taken out.
 */
const Row = z.discriminatedUnion("kind", [
  z.object({ at: z.number(), kind: z.literal("output"), bytes: z.number() }),
  z.object({ at: z.number(), kind: z.literal("line"), text: z.string() }),
  z.object({ at: z.number(), kind: z.literal("call"), call: z.string() }),
  z.object({ at: z.number(), kind: z.literal("called"), call: z.string(), tokens: z.number() }),
]);

export type Trace = "gemini-loop" | "gemini-cycle" | "gemini-edits" | "qwen-loop" | "qwen-cycle" | "qwen-edits" | "gemini-sleepy";

const rowsOf = (trace: Trace): z.infer<typeof Row>[] =>
  readFileSync(new URL(`traces/${trace}.ndjson`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => Row.parse(JSON.parse(line)));

/** Plays a recorded attempt to a watch, with a look every `everyMs`, and answers what each look saw. */
export function play(trace: Trace, options: Partial<WatchOptions> = {}, everyMs = 250): { watch: LivenessWatch; looks: LivenessItem[] } {
  const watch = new LivenessWatch({ attempt: "r/a#1", step: "a", startedAt: 0, ...options });
  const looks: LivenessItem[] = [];
  let next = everyMs;
  for (const row of rowsOf(trace)) {
    for (; next <= row.at; next += everyMs) looks.push(watch.judge(next));
    if (row.kind === "output") watch.see({ kind: "output", at: row.at, stream: "stdout", bytes: row.bytes });
    else if (row.kind === "line") watch.output({ at: row.at, stream: "stdout", text: row.text });
    else if (row.kind === "call") watch.see({ kind: "call-started", at: row.at, call: row.call });
    else watch.see({ kind: "call-ended", at: row.at, call: row.call, tokens: row.tokens });
  }
  looks.push(watch.judge(next));
  return { watch, looks };
}
