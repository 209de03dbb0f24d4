import { z } from "zod";
import { isRunTool } from "../../domain/index.ts";
import type { ExecutionContext, PermissionRequest } from "../contract.ts";
import { commandOf, labelOf, ToolCallShape, type ToolCall, type Turn } from "./updates.ts";

const Option = z.looseObject({ optionId: z.string(), kind: z.string() });
const Asked = z.looseObject({ toolCall: ToolCallShape, options: z.array(Option) });

/** An answer of ACP's `session/request_permission`. */
type Outcome = { outcome: { outcome: "selected"; optionId: string } | { outcome: "cancelled" } };

const kinds: Readonly<Record<string, PermissionRequest["kind"]>> = {
  read: "read",
  search: "read",
  edit: "edit",
  delete: "delete",
  move: "move",
  execute: "execute",
  fetch: "fetch",
};

/** How often each request was answered while an earlier engine had the attempt. */
export type AnsweredBefore = Map<string, number>;

/**
 * Answers an agent that asks leave. Once, never for always: the policy belongs to the step, and an agent that remembers would
 * not ask again. A refusal without an option for it cancels the call.
 */
export async function answerPermission(
  params: unknown,
  turn: Turn,
  { permit, progress }: Pick<ExecutionContext, "permit" | "progress">,
  before: AnsweredBefore,
  signal: AbortSignal,
): Promise<Outcome> {
  const parsed = Asked.safeParse(params);
  // Not understood: not allowed.
  if (!parsed.success) return { outcome: { outcome: "cancelled" } };
  const { toolCall, options } = parsed.data;
  const call = turn.tool(toolCall);
  if (isRunToolCall(call)) return { outcome: choose(options, ["allow_once", "allow_always"]) };
  const request = requestOf(call);
  const times = before.get(JSON.stringify(request));
  const answer = permit ? await permit({ ...request, ...(times ? { before: times } : {}) }, signal) : { allow: true as const };
  if (!answer.allow) progress(`refused: ${labelOf(call)} (${answer.because})`);
  return { outcome: choose(options, answer.allow ? ["allow_once", "allow_always"] : ["reject_once", "reject_always"]) };
}

function choose(options: readonly z.infer<typeof Option>[], wanted: readonly string[]): Outcome["outcome"] {
  const chosen = wanted.flatMap((kind) => options.find((option) => option.kind === kind) ?? [])[0];
  return chosen ? { outcome: "selected", optionId: chosen.optionId } : { outcome: "cancelled" };
}

/** As agents call the tools of the run, which need nobody's leave: one of them asks people itself. */
const runTool = /^(?:mcp__stepfall__(\w+)|(\w+) \(stepfall MCP Server\))$/;

function isRunToolCall({ title, kind, paths, input }: ToolCall): boolean {
  const [, prefixed, suffixed] = runTool.exec(title ?? "") ?? [];
  const isLooker = kind === undefined || kind === "other" || kind === "read";
  return isLooker && paths.length === 0 && commandOf(input) === undefined && isRunTool(prefixed ?? suffixed ?? "");
}

/** A request for leave that was answered before: the call is known, and nothing is asked. */
export function notePermission(params: unknown, turn: Turn, before: AnsweredBefore): void {
  const parsed = Asked.safeParse(params);
  if (!parsed.success) return;
  const request = JSON.stringify(requestOf(turn.tool(parsed.data.toolCall)));
  before.set(request, (before.get(request) ?? 0) + 1);
}

function requestOf(call: ToolCall): PermissionRequest {
  // A command without its text among the input is the title.
  const command = commandOf(call.input) ?? (call.kind === "execute" ? call.title : undefined);
  const detail = command ?? urlOf(call.input) ?? call.paths.join(", ");
  return {
    title: call.title ?? labelOf(call),
    kind: kinds[call.kind ?? ""] ?? "other",
    ...(detail === "" ? {} : { detail: detail.slice(0, 4000) }),
  };
}

const urlOf = (input: unknown): string | undefined => z.looseObject({ url: z.string() }).safeParse(input).data?.url;
