import { relative } from "node:path";
import { z } from "zod";

/** What we read of a `session/update`. Agents differ: everything may be missing, and unknown kinds are skipped. */
const Update = z.looseObject({
  sessionUpdate: z.string(),
  content: z.unknown().optional(),
  messageId: z.string().nullish(),
  toolCallId: z.string().nullish(),
  title: z.string().nullish(),
  kind: z.string().nullish(),
  status: z.string().nullish(),
  rawInput: z.unknown().optional(),
  locations: z.array(z.looseObject({ path: z.string() })).nullish(),
  entries: z.array(z.looseObject({ content: z.string(), status: z.string().nullish() })).nullish(),
  cost: z.looseObject({ amount: z.number(), currency: z.string() }).nullish(),
});
/** How codex says that a turn ended because its model calls failed; the answer to the prompt says that all is well. */
const CodexStatus = z.looseObject({ _meta: z.object({ codex: z.object({ threadStatus: z.object({ type: z.literal("systemError") }) }) }) });
const Notification = z.looseObject({ update: Update });
const TextContent = z.looseObject({ type: z.literal("text"), text: z.string() });

/** A tool call as known so far. */
export interface ToolCall {
  id: string;
  title?: string | undefined;
  kind?: string | undefined;
  status?: string | undefined;
  paths: readonly string[];
  input?: unknown;
}

/** A tool call, or what is new of one. */
export const ToolCallShape = Update.omit({ sessionUpdate: true });

/**
 * What an agent said and did since a prompt. Tool calls are upserted: some agents send an update, or ask leave, for a call
 * that they never announced.
 */
export class Turn {
  readonly #tree: string;
  readonly #tell: (text: string) => void;
  readonly #tools = new Map<string, ToolCall>();
  readonly #told = new Map<string, string>();
  #message = "";
  #messageId: string | undefined;
  #isBroken = false;
  #plan = "";
  /** It said that it could not go on for a fault of the system's, not its own. */
  hasSystemError = false;
  /** Told by a `usage_update`, dollars or another currency, as the agent says. */
  cost: { amount: number; currency: string } | undefined;

  constructor(tree: string, tell: (text: string) => void) {
    this.#tree = tree;
    this.#tell = tell;
  }

  /** The last message; text before a tool call is not part of it. */
  get message(): string {
    return this.#message.trim();
  }
  get toolCalls(): number {
    return this.#tools.size;
  }

  update(params: unknown): void {
    const parsed = Notification.safeParse(params);
    if (!parsed.success) return;
    const { update } = parsed.data;
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        this.#text(update.content, update.messageId ?? undefined);
        break;
      case "tool_call":
      case "tool_call_update":
        this.tool(update);
        break;
      case "plan":
        this.#planned(update.entries ?? []);
        break;
      case "usage_update":
        if (update.cost) this.cost = { amount: update.cost.amount, currency: update.cost.currency };
        break;
      case "session_info_update":
        if (CodexStatus.safeParse(update).success) this.hasSystemError = true;
        break;
      default:
      // Thoughts, modes, commands: nothing that a person or the result needs.
    }
  }

  /** Takes up what is new of a tool call and answers all that is known of it. */
  tool(update: z.infer<typeof ToolCallShape>): ToolCall {
    const id = update.toolCallId ?? "";
    const known = this.#tools.get(id);
    const paths = update.locations?.map((location) => this.#short(location.path)) ?? pathsIn(update.content).map((p) => this.#short(p));
    const call: ToolCall = {
      id,
      title: update.title || known?.title,
      kind: update.kind ?? known?.kind,
      status: update.status ?? known?.status,
      paths: paths.length > 0 ? paths : (known?.paths ?? []),
      input: update.rawInput ?? known?.input,
    };
    if (!known) this.#isBroken = true;
    this.#tools.set(id, call);
    const label = labelOf(call);
    const text = call.status === "failed" ? `failed: ${label}` : label;
    if (label !== "" && this.#told.get(id) !== text && (isTelling(call) || isOver(call))) {
      this.#told.set(id, text);
      this.#tell(text);
    }
    return call;
  }

  #text(content: unknown, messageId: string | undefined): void {
    const text = TextContent.safeParse(content).data?.text ?? "";
    if (text === "") return;
    if (this.#isBroken || (messageId !== undefined && messageId !== this.#messageId)) this.#message = "";
    this.#isBroken = false;
    this.#messageId = messageId;
    this.#message += text;
  }

  #planned(entries: readonly { content: string; status?: string | null | undefined }[]): void {
    const at = entries.findIndex((entry) => entry.status === "in_progress");
    const text = at < 0 ? "" : `plan ${at + 1}/${entries.length}: ${oneLine(entries[at]?.content ?? "")}`;
    if (text !== "" && text !== this.#plan) this.#tell((this.#plan = text));
  }

  #short(path: string): string {
    const inside = relative(this.#tree, path);
    return inside === "" || inside.startsWith("..") || !path.startsWith("/") ? path : inside;
  }
}

const isOver = ({ status }: ToolCall): boolean => status === "completed" || status === "failed";

/** Not before what it acts on is known: agents announce a call as soon as the model begins to write it. */
function isTelling({ kind, paths, input }: ToolCall): boolean {
  if (kind === "execute") return commandOf(input) !== undefined;
  return paths.length > 0 || !["edit", "delete", "move", "read"].includes(kind ?? "");
}

/** The paths of the diffs among a tool call's content. */
function pathsIn(content: unknown): string[] {
  const Diff = z.looseObject({ type: z.literal("diff"), path: z.string() });
  return Array.isArray(content) ? content.flatMap((part) => Diff.safeParse(part).data?.path ?? []) : [];
}

/** `edit src/a.ts`, `run npm test`, or the agent's own title. */
export function labelOf({ kind, title, paths, input }: ToolCall): string {
  const path = paths[0];
  const command = commandOf(input);
  switch (kind) {
    case "edit":
    case "delete":
    case "move":
    case "read":
      return path === undefined ? oneLine(title ?? kind) : `${kind} ${path}${paths.length > 1 ? ` and ${paths.length - 1} more` : ""}`;
    case "execute":
      return `run ${oneLine(command ?? title ?? "a command")}`;
    default:
      return oneLine(title ?? "");
  }
}

/** The command of a shell tool, whatever the tool calls it. */
export function commandOf(input: unknown): string | undefined {
  const parsed = z.looseObject({ command: z.union([z.string(), z.array(z.string())]) }).safeParse(input);
  if (!parsed.success) return undefined;
  return typeof parsed.data.command === "string" ? parsed.data.command : parsed.data.command.join(" ");
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim().slice(0, 160);
