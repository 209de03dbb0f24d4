import type { ElicitRequestFormParams } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Control } from "../../control/index.ts";
import type { InboxItem } from "../../domain/index.ts";
import { cut } from "./bounded.ts";
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

export type Form = Omit<ElicitRequestFormParams, "mode" | "_meta" | "task">;

/** The form that asks a person. */
export function formOf(item: Item, context: string): Form {
  const message = cut([context, item.title, ...(item.detail === undefined ? [] : [item.detail])].join("\n\n"), 4000);
  const choices = [...item.choices];
  if (item.kind === "question" || item.kind === "budget") {
    const answer = { type: "string" as const, title: "Answer", ...(choices.length > 0 ? { enum: choices } : { minLength: 1 }) };
    return { message, requestedSchema: { type: "object", properties: { answer }, required: ["answer"] } };
  }
  const decision = {
    type: "string" as const,
    title: "Decision",
    enum: item.kind === "approval" ? ["approve", "reject", "rework"] : ["approve", "reject"],
  };
  const comment = { type: "string" as const, title: "Comment", description: "Why, or what is to be done differently", maxLength: 4000 };
  return { message, requestedSchema: { type: "object", properties: { decision, comment }, required: ["decision"] } };
}

const decided = z.object({ decision: z.enum(["approve", "reject", "rework"]), comment: z.string().max(4000).optional() });
const answered = z.object({ answer: z.string().min(1).max(4000) });

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
