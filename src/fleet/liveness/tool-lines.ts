import { z } from "zod";
import type { Action } from "./seen.ts";
import { digest, resultOf, signatureOf } from "./signature.ts";

/** Calls whose end is still to come; an agent that never ends its calls costs no more than this. */
const MOST_OPEN = 256;

/**
 * Reads tool calls out of what agent programs print, line by line: ACP, the event streams of Claude Code and Codex, and Stepfall's own chat
 * agent. It knows less than the executors, which have to understand everything: only which call it was, what it was given, and what came of
 * it, so that equal calls can be told from others. A line that it does not understand is no call.
 */
export class ToolLines {
  readonly #open = new Map<string, Known>();

  /** The calls that are over with this line. */
  read(text: string): Action[] {
    // Most lines are pieces of an answer; parsing them all would cost more than all the rest.
    if (!text.startsWith("{") || !/tool|item\.completed/.test(text)) return [];
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return []; // A piece of a line that was too long.
    }
    return this.#acp(value) ?? this.#claude(value) ?? this.#codex(value) ?? this.#chat(value) ?? [];
  }

  #acp(value: unknown): Action[] | undefined {
    const line = AcpLine.safeParse(value);
    if (!line.success) return undefined;
    const { update, toolCall } = line.data.params;
    const news = update ?? toolCall;
    if (!news?.toolCallId) return [];
    const known = this.#learn(news.toolCallId, {
      kind: news.kind ?? undefined,
      title: news.title || undefined,
      path: news.locations?.[0]?.path ?? diffsIn(news.content)[0]?.path,
      input: isFilled(news.rawInput) ? news.rawInput : undefined,
      diffs: diffsIn(news.content),
    });
    if (news.status !== "completed" && news.status !== "failed") return [];
    this.#open.delete(news.toolCallId);
    const isChange = ["edit", "delete", "move"].includes(known.kind ?? "");
    const label = known.kind === "execute" ? (commandOf(known.input) ?? known.title ?? "") : (known.path ?? known.title ?? "");
    const given = known.input ?? (known.diffs.length > 0 ? known.diffs : undefined);
    const texts = textsIn(news.content);
    const isSeen = texts.length > 0 || isFilled(news.rawOutput);
    return [
      {
        signature: signatureOf(known.kind === "execute" ? "run" : (known.kind ?? "use"), label),
        ...(isSeen || given !== undefined
          ? {
              result: `${digest(JSON.stringify(given ?? null))}:${news.status}:${resultOf(texts.join("\n") || JSON.stringify(news.rawOutput ?? null))}`,
            }
          : {}),
        ...(isChange && given === undefined ? { isOpaqueChange: true } : {}),
      },
    ];
  }

  #claude(value: unknown): Action[] | undefined {
    const line = ClaudeLine.safeParse(value);
    if (!line.success) return undefined;
    return line.data.message.content.flatMap((part) => {
      const use = ClaudeUse.safeParse(part);
      if (use.success) this.#learn(use.data.id, { title: use.data.name, input: use.data.input });
      const done = ClaudeResult.safeParse(part);
      const known = done.success ? this.#open.get(done.data.tool_use_id) : undefined;
      if (!done.success || !known) return [];
      this.#open.delete(done.data.tool_use_id);
      return [called(known, `${done.data.is_error === true}:${JSON.stringify(done.data.content ?? null)}`)];
    });
  }

  #codex(value: unknown): Action[] | undefined {
    const line = CodexLine.safeParse(value);
    if (!line.success) return undefined;
    const { item } = line.data;
    switch (item.type) {
      case "command_execution":
        return [
          {
            signature: signatureOf("run", item.command),
            result: resultOf(`${item.exit_code}:${item.status}:${item.aggregated_output ?? ""}`),
          },
        ];
      case "file_change":
        return item.changes.map(({ path, kind }) => ({ signature: signatureOf(kind, path), isOpaqueChange: true }));
      case "mcp_tool_call":
        return [
          {
            signature: signatureOf("use", `${item.server ?? ""} ${item.tool}`),
            result: `${digest(JSON.stringify(item.arguments ?? null))}:${resultOf(JSON.stringify(item.result ?? item.error ?? null))}`,
          },
        ];
      case "web_search":
        return [{ signature: signatureOf("search", item.query) }];
      default:
        return item satisfies never;
    }
  }

  #chat(value: unknown): Action[] | undefined {
    const line = ChatLine.safeParse(value);
    if (!line.success) return undefined;
    if (line.data.type === "tool") {
      this.#learn(line.data.id, { title: line.data.label, input: line.data.input });
      return [];
    }
    const known = this.#open.get(line.data.id);
    if (!known) return [];
    this.#open.delete(line.data.id);
    const result = `${digest(JSON.stringify(known.input ?? null))}:${resultOf(line.data.output)}`;
    return [{ signature: signatureOf("", known.title ?? line.data.name), result }];
  }

  /** Agents tell of a call piece by piece, and some ask leave for one that they never announced. */
  #learn(id: string, news: Partial<Known>): Known {
    const before = this.#open.get(id);
    const known: Known = {
      kind: news.kind ?? before?.kind,
      title: news.title ?? before?.title,
      path: news.path ?? before?.path,
      input: news.input ?? before?.input,
      diffs: news.diffs && news.diffs.length > 0 ? news.diffs : (before?.diffs ?? []),
    };
    const [oldest] = this.#open.keys();
    if (!before && this.#open.size >= MOST_OPEN && oldest !== undefined) this.#open.delete(oldest);
    this.#open.set(id, known);
    return known;
  }
}

interface Known {
  kind: string | undefined;
  title: string | undefined;
  path: string | undefined;
  input: unknown;
  diffs: readonly { path: string }[];
}

/** A tool of Claude Code with its input, by what it acts on. */
function called(known: Known, result: string): Action {
  const input = z.record(z.string(), z.unknown()).catch({}).parse(known.input);
  const target =
    commandOf(known.input) ??
    ["file_path", "notebook_path", "path", "pattern", "url", "query", "description"]
      .map((key) => input[key])
      .find((v) => typeof v === "string");
  return {
    signature: signatureOf(known.title ?? "use", typeof target === "string" ? target : ""),
    result: `${digest(JSON.stringify(known.input ?? null))}:${resultOf(result)}`,
  };
}

const isFilled = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && (typeof value !== "object" || Object.keys(value).length > 0);

function commandOf(input: unknown): string | undefined {
  const { command, cmd } = z.object({ command: z.unknown(), cmd: z.unknown() }).partial().catch({}).parse(input);
  const found = command ?? cmd;
  if (typeof found === "string") return found;
  return Array.isArray(found) ? found.join(" ") : undefined;
}

const Diff = z.looseObject({ type: z.literal("diff"), path: z.string() });
const TextPart = z.looseObject({ type: z.literal("content"), content: z.looseObject({ type: z.literal("text"), text: z.string() }) });
const partsOf = (content: unknown): readonly unknown[] => (Array.isArray(content) ? content : []);
const diffsIn = (content: unknown): z.infer<typeof Diff>[] => partsOf(content).flatMap((part) => Diff.safeParse(part).data ?? []);
const textsIn = (content: unknown): string[] => partsOf(content).flatMap((part) => TextPart.safeParse(part).data?.content.text ?? []);

const AcpCall = z.looseObject({
  toolCallId: z.string().nullish(),
  status: z.string().nullish(),
  title: z.string().nullish(),
  kind: z.string().nullish(),
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
  content: z.unknown().optional(),
  locations: z
    .array(z.looseObject({ path: z.string() }))
    .nullish()
    .catch(null),
});
const AcpLine = z.looseObject({
  jsonrpc: z.literal("2.0"),
  params: z.looseObject({ update: AcpCall.optional(), toolCall: AcpCall.optional() }),
});

const ClaudeLine = z.looseObject({ type: z.enum(["assistant", "user"]), message: z.looseObject({ content: z.array(z.unknown()) }) });
const ClaudeUse = z.looseObject({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown().optional() });
const ClaudeResult = z.looseObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  is_error: z.boolean().nullish(),
  content: z.unknown().optional(),
});

const CodexLine = z.looseObject({
  type: z.literal("item.completed"),
  item: z.discriminatedUnion("type", [
    z.looseObject({
      type: z.literal("command_execution"),
      command: z.string(),
      status: z.string().nullish(),
      exit_code: z.number().nullish(),
      aggregated_output: z.string().nullish(),
    }),
    z.looseObject({ type: z.literal("file_change"), changes: z.array(z.looseObject({ path: z.string(), kind: z.string() })) }),
    z.looseObject({
      type: z.literal("mcp_tool_call"),
      server: z.string().nullish(),
      tool: z.string(),
      arguments: z.unknown().optional(),
      result: z.unknown().optional(),
      error: z.unknown().optional(),
    }),
    z.looseObject({ type: z.literal("web_search"), query: z.string() }),
  ]),
});

const ChatLine = z.discriminatedUnion("type", [
  z.object({ type: z.literal("tool"), id: z.string(), name: z.string(), label: z.string(), input: z.string() }),
  z.object({ type: z.literal("tool-result"), id: z.string(), name: z.string(), output: z.string() }),
]);
