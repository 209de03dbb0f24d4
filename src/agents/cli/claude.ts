import { z } from "zod";
import type { ReportedTokens } from "../contract.ts";
import { labelOfTool } from "./tool-label.ts";
import type { Dialect, Ending, Permissions, Reader } from "./dialect.ts";

const ToolUse = z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown() });
const Text = z.object({ type: z.literal("text"), text: z.string() });
const ToolResult = z.object({ type: z.literal("tool_result"), tool_use_id: z.string(), is_error: z.boolean().nullish() });
const Blocks = z.object({ content: z.array(z.unknown()) });

const Assistant = z.object({
  type: z.literal("assistant"),
  message: Blocks.extend({ id: z.string().nullish(), model: z.string().nullish() }),
});
const User = z.object({ type: z.literal("user"), message: Blocks });
const Session = z.object({ session_id: z.string() });

const count = z.number().int().nonnegative().catch(0);
const ModelUsage = z.object({ inputTokens: count, outputTokens: count, cacheReadInputTokens: count, cacheCreationInputTokens: count });
const Usage = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
});
const Result = z.object({
  type: z.literal("result"),
  subtype: z.string(),
  is_error: z.boolean(),
  result: z.string().nullish(),
  errors: z.array(z.string()).nullish(),
  stop_reason: z.string().nullish(),
  terminal_reason: z.string().nullish(),
  api_error_status: z.number().nullish(),
  api_error_type: z.string().nullish(),
  permission_denials: z.array(z.object({ tool_name: z.string(), tool_use_id: z.string(), tool_input: z.unknown() })).nullish(),
  usage: Usage.nullish().catch(null),
  /** Of this process and all models, sub-agents included; `modelUsage` beside it is the whole session's. */
  model_usage_since_last_result: z.record(z.string(), ModelUsage).nullish().catch(null),
});
type Result = z.infer<typeof Result>;

/** Tools that change nothing: success with one of them makes up for no refused one. */
const lookers = new Set(["Read", "Grep", "Glob", "LS", "TodoWrite", "TaskCreate", "TaskUpdate", "TaskList", "TaskGet", "ToolSearch"]);

/**
 * The mode and the tools of a policy. Not `bypassPermissions`, which is refused to root: `acceptEdits` allows edits within the
 * workspace, and the tools named besides run without asking. `dontAsk` refuses whatever no rule allows; it still reads.
 */
const permissionArgs: Record<Permissions, readonly string[]> = {
  allow: ["--permission-mode", "acceptEdits", "--allowedTools", "Bash,WebFetch,WebSearch,Skill"],
  edits: ["--permission-mode", "acceptEdits"],
  deny: ["--permission-mode", "dontAsk"],
};

/** `claude -p --output-format stream-json`. */
export const claudeDialect: Dialect = {
  args: ({ permissions, resume, maxTurns }) => [
    "-p",
    "--output-format",
    "stream-json",
    "--verbose",
    ...permissionArgs[permissions],
    ...(maxTurns === undefined ? [] : ["--max-turns", String(maxTurns)]),
    ...(resume === undefined ? [] : ["--resume", resume]),
  ],
  reader: () => new ClaudeReader(),
};

class ClaudeReader implements Reader {
  session: string | undefined;
  #result: Result | undefined;
  /** Ids of answers that a model gave: one call each, in however many events it comes. */
  #calls = new Set<string>();
  #tools = new Map<string, string>();
  /** The model's last words. */
  #text = "";
  /** Tool calls that changed something, in the order they succeeded. */
  #effects: string[] = [];
  #effectsAt = new Map<string, number>();

  event(event: object): readonly string[] {
    this.session = Session.safeParse(event).data?.session_id ?? this.session;
    const result = Result.safeParse(event);
    if (result.success) {
      this.#result = result.data;
      return [];
    }
    const assistant = Assistant.safeParse(event);
    if (assistant.success) return this.#assistant(assistant.data.message);
    const user = User.safeParse(event);
    if (user.success) this.#toolResults(user.data.message.content);
    return [];
  }

  noise(): void {}

  #assistant(message: z.infer<typeof Assistant>["message"]): string[] {
    const isOfModel = message.model !== "<synthetic>";
    if (message.id && isOfModel) this.#calls.add(message.id);
    return message.content.flatMap((block) => {
      const text = Text.safeParse(block).data?.text;
      if (text && isOfModel) this.#text = text;
      const use = ToolUse.safeParse(block).data;
      if (!use) return [];
      this.#tools.set(use.id, use.name);
      this.#effectsAt.set(use.id, this.#effects.length);
      return [labelOfTool(use.name, use.input)];
    });
  }

  #toolResults(content: readonly unknown[]): void {
    for (const block of content) {
      const done = ToolResult.safeParse(block).data;
      const name = done && this.#tools.get(done.tool_use_id);
      if (name !== undefined && !done?.is_error && !lookers.has(name)) this.#effects.push(name);
    }
  }

  ending(): Ending | undefined {
    const result = this.#result;
    if (!result) return undefined;
    const said = [result.result, ...(result.errors ?? [])].filter((text) => text).join("\n") || result.subtype;
    if (result.errors?.some((text) => /no conversation found/i.test(text))) return { kind: "no-session", message: said };
    if (result.api_error_type === "budget_exhausted" || result.api_error_status === 402)
      return { kind: "failed", because: "budget", message: said };
    // Before the errors: it comes as one, with a text about the terms of use, and the model's own words are in the answer before.
    if (result.stop_reason === "refusal") return { kind: "failed", because: "agent", message: `the model refused: ${this.#text || said}` };
    if (result.api_error_status || result.terminal_reason === "api_error") return { kind: "failed", because: "provider", message: said };
    if (result.is_error || result.subtype !== "success") return { kind: "failed", because: "agent", message: said };
    const denied = (result.permission_denials ?? []).filter(
      ({ tool_use_id }) => (this.#effectsAt.get(tool_use_id) ?? 0) >= this.#effects.length,
    );
    if (denied.length > 0) return { kind: "failed", because: "agent", message: deniedMessage(denied, said) };
    return { kind: "ended", summary: result.result ?? "" };
  }

  reported(): ReportedTokens | undefined {
    const result = this.#result;
    const perModel = Object.values(result?.model_usage_since_last_result ?? {});
    const sum = (of: (usage: z.infer<typeof ModelUsage>) => number): number => perModel.reduce((total, usage) => total + of(usage), 0);
    const calls = this.#calls.size;
    if (perModel.length > 0) {
      const cached = sum((usage) => usage.cacheReadInputTokens);
      const input = sum((usage) => usage.inputTokens + usage.cacheCreationInputTokens) + cached;
      return { calls, inputTokens: input, cachedInputTokens: cached, outputTokens: sum((usage) => usage.outputTokens) };
    }
    const usage = result?.usage;
    if (!usage || calls === 0) return undefined;
    const cached = usage.cache_read_input_tokens;
    const input = usage.input_tokens + usage.cache_creation_input_tokens + cached;
    return { calls, inputTokens: input, cachedInputTokens: cached, outputTokens: usage.output_tokens };
  }
}

/** Denied and nothing done since: whatever it says, this work was not done. A denial that it worked around is the gates' to judge. */
function deniedMessage(denied: readonly { tool_name: string; tool_input: unknown }[], said: string): string {
  const what = [...new Set(denied.map((one) => labelOfTool(one.tool_name, one.tool_input)))].join("; ");
  return `it was refused leave to ${what}, and did nothing after that. The step's permissions decide what it may do. It said: ${said}`;
}
