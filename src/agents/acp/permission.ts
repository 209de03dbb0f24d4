import { z } from "zod";
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
  const request = requestOf(call);
  const times = before.get(JSON.stringify(request));
  const answer = permit ? await permit({ ...request, ...(times ? { before: times } : {}) }, signal) : { allow: true as const };
  if (!answer.allow) progress(`refused: ${labelOf(call)} (${answer.because})`);
  const wanted = answer.allow ? ["allow_once", "allow_always"] : ["reject_once", "reject_always"];
  const chosen = wanted.flatMap((kind) => options.find((option) => option.kind === kind) ?? [])[0];
  return { outcome: chosen ? { outcome: "selected", optionId: chosen.optionId } : { outcome: "cancelled" } };
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
