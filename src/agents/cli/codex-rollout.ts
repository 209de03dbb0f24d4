import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ReportedTokens } from "../contract.ts";

const count = z.number().int().nonnegative();
const Tokens = z.object({ input_tokens: count, cached_input_tokens: count, output_tokens: count });
/** One for every call of a model. */
const CallRecord = z.object({ type: z.literal("token_usage_record"), payload: z.object({ usage: Tokens }) });
/** What older versions write instead: the total so far, possibly the same one several times. */
const TotalRecord = z.object({
  type: z.literal("event_msg"),
  payload: z.object({ type: z.literal("token_count"), info: z.object({ total_token_usage: Tokens }) }),
});

/** The file Codex keeps of a session, as it is at one moment. */
export interface Rollout {
  readonly bytes: number;
  /** What was used after the first `from` bytes; `undefined` when the file does not say. Includes cached input, as Codex counts. */
  tokensSince(from: number): ReportedTokens | undefined;
}

/** The session's file in CODEX_HOME. `undefined`: there is none, or it is kept otherwise by now. */
export function rolloutOf(env: Readonly<Record<string, string>>, session: string): Rollout | undefined {
  const home = env["CODEX_HOME"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".codex"));
  if (home === undefined || !/^[\w-]+$/.test(session)) return undefined;
  try {
    const folder = join(home, "sessions");
    const name = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((file) => file.endsWith(`-${session}.jsonl`));
    if (name === undefined) return undefined;
    const path = join(folder, name);
    return { bytes: statSync(path).size, tokensSince: (from) => tokens(readFileSync(path), from) };
  } catch {
    return undefined;
  }
}

function tokens(file: Buffer, from: number): ReportedTokens | undefined {
  const after = file.subarray(from).toString("utf8").split("\n").map(parsed);
  const calls = after.flatMap((record) => CallRecord.safeParse(record).data?.payload.usage ?? []);
  if (calls.length > 0) return calls.reduce((sum, usage) => added(sum, usage), none);
  const totalOf = (record: unknown) => TotalRecord.safeParse(record).data?.payload.info.total_token_usage ?? [];
  let before = file.subarray(0, from).toString("utf8").split("\n").map(parsed).flatMap(totalOf).at(-1);
  let sum: ReportedTokens | undefined;
  for (const total of after.flatMap(totalOf)) {
    sum ??= none;
    const more = {
      input_tokens: total.input_tokens - (before?.input_tokens ?? 0),
      cached_input_tokens: total.cached_input_tokens - (before?.cached_input_tokens ?? 0),
      output_tokens: total.output_tokens - (before?.output_tokens ?? 0),
    };
    before = total;
    if (more.input_tokens > 0 || more.output_tokens > 0) sum = added(sum, more);
  }
  return sum;
}

const none: ReportedTokens = { calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };

const added = (sum: ReportedTokens, usage: z.infer<typeof Tokens>): ReportedTokens => ({
  calls: sum.calls + 1,
  inputTokens: sum.inputTokens + usage.input_tokens,
  cachedInputTokens: sum.cachedInputTokens + usage.cached_input_tokens,
  outputTokens: sum.outputTokens + usage.output_tokens,
});

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
