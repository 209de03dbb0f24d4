import type { ElicitRequestFormParams } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Control } from "../../control/index.ts";
import type { InboxItem } from "../../domain/index.ts";
import { cut, FIELD_CHARS, gist } from "./bounded.ts";
import type { Caller } from "./caller.ts";

/** What can be said to an item. */
export interface Said {
  verdict: "approve" | "reject" | "rework" | "answer";
  text?: string;
}

/** An answer that was recorded. */
export interface Decided extends Said {
  item: string;
  by: string;
  /** How many more must agree. */
  stillNeeded: number;
  /** Whether the run goes on by itself. */
  driven: boolean;
}

type Item = Pick<InboxItem, "kind" | "title" | "detail" | "choices" | "who" | "count" | "item">;

/**
 * What only a person may decide, unless the server was told otherwise: approvals, leave for an agent, and more money. Questions are asked to get
 * on, and an agent may know the answer; less money and an end are nothing that an agent could not have by cancelling the run.
 */
export function isPersons(kind: Item["kind"], said: Said): boolean {
  if (kind === "question") return false;
  return kind !== "budget" || !/^\s*(stop|cheaper)\s*$/i.test(said.text ?? "");
}

/**
 * Why an item is not put to the client's person by itself; `undefined` when it is. Who sits there is not known for certain, so it is nothing for
 * items that name who may answer, or that several must agree to.
 */
export function whyNotAsked({ who, count }: Item): string | undefined {
  if (who.length > 0) return `only ${who.join(", ")} may answer it`;
  return count > 1 ? `${count} people must agree` : undefined;
}

/**
 * Why an agent's word does not count, where a server lets agents decide. What several must agree to is for several: agents name themselves as they
 * like, and two names are not two minds.
 */
export function whyNotAgents(
  { count, answers }: Pick<InboxItem, "count" | "answers">,
  { agent }: Pick<Caller, "agent">,
): string | undefined {
  const other = answers.find(({ by }) => by.startsWith("mcp:") && !by.includes("/") && by !== agent);
  return count > 1 && other ? `${count} must agree, and an agent has (${other.by}): the others are people` : undefined;
}

export type Form = Omit<ElicitRequestFormParams, "mode" | "_meta" | "task">;

/** Of an answer, and of a comment. */
const MOST_CHARS = 4000;
export const WHAT_FITS = `an answer, or a decision with a comment, of at most ${MOST_CHARS} characters.`;

/**
 * Of an item's own text. It is shown whole where it can be, whatever else is in the form: nobody should allow a command of which they see the
 * beginning.
 */
const ITEM_CHARS = 5000;
const ELSEWHERE = "look at it in the dashboard or by `stepfall inbox` before you decide";

/** What a terminal obeys, and what turns the order of letters around: a command that is to be allowed must look like what it is. */
const UNSEEN = /[\p{Cc}--[\n\t]]|[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/gv;

/** The form that asks a person. `of`: what it belongs to; `wish`: what the agent would have them say. */
export function formOf(item: Item, of: { runId: string; pipeline: string }, wish?: string): Form {
  const about = `Run ${of.runId} (${gist(of.pipeline, 120)}) waits for ${item.kind === "question" ? "your answer" : "your decision"}.`;
  const detail = item.detail === undefined ? [] : [cut(item.detail, ITEM_CHARS, ELSEWHERE)];
  const message = [about, cut(item.title, FIELD_CHARS), ...detail, ...(wish === undefined ? [] : [gist(wish, 1000)])]
    .join("\n\n")
    .replaceAll(UNSEEN, "?");
  const choices = [...item.choices];
  if (item.kind === "question" || item.kind === "budget") {
    // To a spent budget more can be said than its choices: by how much it is raised.
    const isBudget = item.kind === "budget";
    const any = { minLength: 1, maxLength: MOST_CHARS, ...(isBudget ? { description: `${choices.join(", ")}; or raise 2.50 (USD)` } : {}) };
    const answer = { type: "string" as const, title: "Answer", ...(choices.length > 0 && !isBudget ? { enum: choices } : any) };
    return { message, requestedSchema: { type: "object", properties: { answer }, required: ["answer"] } };
  }
  const decision = {
    type: "string" as const,
    title: "Decision",
    enum: item.kind === "approval" ? ["approve", "reject", "rework"] : ["approve", "reject"],
  };
  const comment = {
    type: "string" as const,
    title: "Comment",
    description: "Why, or what is to be done differently",
    maxLength: MOST_CHARS,
  };
  return { message, requestedSchema: { type: "object", properties: { decision, comment }, required: ["decision"] } };
}

const decided = z.object({ decision: z.enum(["approve", "reject", "rework"]), comment: z.string().max(MOST_CHARS).optional() });
const answered = z.object({ answer: z.string().min(1).max(MOST_CHARS) });

/** What the person filled in; `undefined`: nothing that can be used. */
export function saidIn(kind: Item["kind"], content: unknown): Said | undefined {
  if (kind === "question" || kind === "budget") {
    const filled = answered.safeParse(content).data;
    return filled && { verdict: "answer", text: filled.answer };
  }
  const filled = decided.safeParse(content).data;
  return filled && { verdict: filled.decision, ...(filled.comment ? { text: filled.comment } : {}) };
}

/** Records it under the name of whoever said it. */
export async function record(control: Control, caller: Caller, by: "agent" | "person", item: string, said: Said): Promise<Decided> {
  const actor = caller[by];
  const { stillNeeded, driven, item: name } = await control.answer(actor, item, said);
  return { item: name, ...said, by: actor, stillNeeded, driven };
}
