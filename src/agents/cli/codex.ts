import { z } from "zod";
import type { ReportedTokens } from "../contract.ts";
import { LastLines } from "../last-lines.ts";
import { short } from "./tool-label.ts";
import { rolloutOf, type Rollout } from "./codex-rollout.ts";
import type { Dialect, Ending, Permissions, Reader } from "./dialect.ts";

const Item = z.discriminatedUnion("type", [
  z.object({ type: z.literal("agent_message"), text: z.string() }),
  z.object({ type: z.literal("command_execution"), command: z.string(), status: z.string().nullish() }),
  z.object({
    type: z.literal("file_change"),
    changes: z.array(z.object({ path: z.string(), kind: z.string().nullish() })),
    status: z.string().nullish(),
  }),
  z.object({ type: z.literal("mcp_tool_call"), server: z.string().nullish(), tool: z.string(), status: z.string().nullish() }),
  z.object({ type: z.literal("web_search"), query: z.string() }),
]);
type Item = z.infer<typeof Item>;

const count = z.number().int().nonnegative().catch(0);
const TurnUsage = z.object({ input_tokens: count, cached_input_tokens: count, output_tokens: count });

const CodexEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("thread.started"), thread_id: z.string() }),
  z.object({ type: z.literal("turn.completed"), usage: TurnUsage.nullish().catch(null) }),
  z.object({ type: z.literal("turn.failed"), error: z.object({ message: z.string() }) }),
  z.object({ type: z.literal("error"), message: z.string() }),
  z.object({ type: z.literal("item.started"), item: Item }),
  z.object({ type: z.literal("item.completed"), item: Item }),
]);

/**
 * The sandbox is Codex's own: it keeps writes within the workspace and the temporary folder, and `.git` out of reach. It does not
 * tell edits from commands; with `edits` commands run too, but reach no network.
 */
const permissionArgs: Record<Permissions, readonly string[]> = {
  allow: ["-s", "workspace-write", "-c", "sandbox_workspace_write.network_access=true"],
  edits: ["-s", "workspace-write", "-c", "sandbox_workspace_write.network_access=false"],
  deny: ["-s", "read-only"],
};

/** `codex exec --json`. It knows no limit of turns. */
export const codexDialect: Dialect = {
  args: ({ permissions, resume }) => [
    "exec",
    "--json",
    "--skip-git-repo-check",
    ...permissionArgs[permissions],
    ...(resume === undefined ? [] : ["resume", resume]),
    "-",
  ],
  reader: ({ resume, env }) => new CodexReader(resume, env),
};

class CodexReader implements Reader {
  session: string | undefined;
  readonly #env: Readonly<Record<string, string>>;
  /** How far the session's file went before: what Codex counts is the whole session. */
  readonly #before: "fresh" | Rollout | undefined;
  readonly #noise = new LastLines(20);
  #last: { kind: "completed"; usage?: z.infer<typeof TurnUsage> | null | undefined } | { kind: "failed"; message: string } | undefined;
  #lastError: string | undefined;
  #message = "";
  #declined: string[] = [];

  constructor(resume: string | undefined, env: Readonly<Record<string, string>>) {
    this.#before = resume === undefined ? "fresh" : rolloutOf(env, resume);
    this.#env = env;
  }

  event(raw: object): readonly string[] {
    const event = CodexEvent.safeParse(raw).data;
    switch (event?.type) {
      case undefined:
        return [];
      case "thread.started":
        this.session = event.thread_id;
        return [];
      case "turn.completed":
        this.#last = { kind: "completed", usage: event.usage };
        return [];
      case "turn.failed":
        this.#last = { kind: "failed", message: event.error.message };
        return [];
      // Not the end: it also says so when it tries again.
      case "error":
        this.#lastError = event.message;
        return [];
      case "item.started":
        return labels(event.item);
      case "item.completed":
        return this.#completed(event.item);
      default:
        event satisfies never;
        return [];
    }
  }

  #completed(item: Item): readonly string[] {
    if (item.type === "agent_message") this.#message = item.text;
    else if ("status" in item && item.status === "declined") this.#declined.push(...labels(item));
    else if (item.type !== "web_search") this.#declined = [];
    // Told when it is done: there is no beginning of these.
    return item.type === "file_change" || item.type === "web_search" ? labels(item) : [];
  }

  noise(line: string): void {
    this.#noise.add(line);
  }

  ending(): Ending | undefined {
    const last = this.#last;
    if (!last) {
      const missing = this.#noise.text.split("\n").find((line) => /no rollout found|thread\/resume failed/.test(line));
      if (missing) return { kind: "no-session", message: missing };
      return this.#lastError === undefined ? undefined : failed(this.#lastError);
    }
    if (last.kind === "failed") return failed(last.message);
    if (this.#declined.length > 0) {
      const what = [...new Set(this.#declined)].join("; ");
      return {
        kind: "failed",
        because: "agent",
        message: `it was refused leave to ${what}, and did nothing after that. It said: ${this.#message}`,
      };
    }
    return { kind: "ended", summary: this.#message };
  }

  /** From the session's own file, call by call; without it, from the turn's event, which then counts as one call. */
  reported(): ReportedTokens | undefined {
    if (this.session === undefined) return undefined;
    // A session taken up whose past is not known: its figures cannot be told from the earlier ones.
    if (this.#before === undefined) return undefined;
    const used = rolloutOf(this.#env, this.session)?.tokensSince(this.#before === "fresh" ? 0 : this.#before.bytes);
    if (used) return used.calls > 0 ? used : undefined;
    const usage = this.#last?.kind === "completed" ? this.#last.usage : undefined;
    if (!usage || this.#before !== "fresh") return undefined;
    return { calls: 1, inputTokens: usage.input_tokens, cachedInputTokens: usage.cached_input_tokens, outputTokens: usage.output_tokens };
  }
}

/** Codex says in words what went wrong: nearly always the way to the model. */
function failed(message: string): Ending {
  if (/\b402\b|budget_exhausted/.test(message)) return { kind: "failed", because: "budget", message };
  if (/context window|ran out of room/i.test(message)) return { kind: "failed", because: "agent", message };
  return { kind: "failed", because: "provider", message };
}

function labels(item: Item): string[] {
  switch (item.type) {
    case "agent_message":
      return [];
    case "command_execution":
      return [`run ${short(item.command.replace(/^\/\S*sh -l?c /, ""))}`];
    case "file_change":
      return item.changes.map(({ path, kind }) => `${kind === "add" ? "write" : kind === "delete" ? "delete" : "edit"} ${short(path)}`);
    case "mcp_tool_call":
      return [`use ${item.tool}`];
    case "web_search":
      return [`search the web for ${short(item.query)}`];
    default:
      return item satisfies never;
  }
}
