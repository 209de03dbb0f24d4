import { z } from "zod";
import type { InputRequiredResult } from "@modelcontextprotocol/server";
import { askPerson, broughtBack, type Reply } from "../ask-person.ts";
import { formOf, isPersons, record, saidIn, WHAT_FITS, whyNotAgents, whyNotAsked, type Decided, type Said } from "../deciding.ts";
import { ANSWER_CHARS, fitting } from "../bounded.ts";
import { McpCallError } from "../errors.ts";
import { openItem, type OpenItem } from "../open-item.ts";
import { defineTool, looks, type Answer, type Call } from "../tool.ts";
import { entryOf, shownEntry } from "./run-words.ts";

export const inbox = defineTool({
  name: "inbox",
  title: "What waits for people",
  description:
    "Questions, approvals, leave that agents ask for and spent budgets, of all runs; what unblocks most comes first. Questions are answered with `answer`; what a person is to decide is put to them by `approve`.",
  input: z.strictObject({ run: z.string().max(200).optional().describe("Only of this run") }),
  output: z.object({ items: z.array(shownEntry), leftOut: z.number(), next: z.string() }),
  hints: looks,
  act: async ({ run }, { control }) => {
    const runId = run === undefined ? undefined : (await control.run(run)).runId;
    const items = (await control.inbox()).filter((e) => runId === undefined || e.runId === runId);
    const shown = fitting(items.slice(0, 100).map(entryOf), ANSWER_CHARS);
    const leftOut = items.length - shown.length;
    const how = "`answer` for questions and spent budgets, `approve` for approvals and for leave.";
    const next =
      items.length === 0
        ? "Nothing waits for people."
        : leftOut > 0
          ? `${how} Those left out come when these are answered, or by \`run\`.`
          : how;
    return { data: { items: shown, leftOut, next } };
  },
});

const itemArgument = z.string().min(1).max(500).describe("The item's name, or any part that only one has");

const outcome = z.object({
  item: z.string(),
  runId: z.string(),
  recorded: z.boolean(),
  verdict: z.string().optional(),
  text: z.string().optional(),
  by: z.string().optional().describe("Who the journal says it was: mcp:CLIENT is the agent, mcp:CLIENT/NAME the person at the client"),
  stillNeeded: z.number().optional(),
  next: z.string(),
});

const writes = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false };

export const answer = defineTool({
  name: "answer",
  title: "Answer a question",
  description:
    "Answers a question of a run in your own name: it is recorded that you did, not a person. Of a spent budget: `stop`, `cheaper`, or `raise`, `raise 2.50` (USD): more money is a person's decision and is put to them.",
  input: z.strictObject({ item: itemArgument, text: z.string().min(1).max(4000).describe("One of the item's choices, where it has some") }),
  output: outcome,
  hints: writes,
  needs: "answer",
  act: async ({ item, text }, call) => {
    const found = await openItem(call.control, item);
    if (found.item.kind !== "question" && found.item.kind !== "budget")
      throw new McpCallError("USAGE", `${found.item.item} is no question: it wants a decision`, "`approve` puts it to a person.");
    return decide(call, found, { verdict: "answer", text });
  },
});

export const approve = defineTool({
  name: "approve",
  title: "Have something approved",
  description:
    "Approves, rejects or sends back for rework what a run asks a person to decide. Unless the server was started with --allow-approve the decision is the person's: it is put to them through this client, with what you propose, and what they say counts; where the client cannot ask, it is refused with what to tell them.",
  input: z.strictObject({
    item: itemArgument,
    verdict: z.enum(["approve", "reject", "rework"]).default("approve"),
    comment: z.string().max(4000).optional().describe("Why; for rework what is to be done differently"),
  }),
  output: outcome,
  hints: { ...writes, destructiveHint: true },
  needs: "answer",
  act: async ({ item, verdict, comment }, call) => {
    const found = await openItem(call.control, item);
    if (found.item.kind === "question" || found.item.kind === "budget")
      throw new McpCallError("USAGE", `${found.item.item} wants an answer`, "Give it with `answer`.");
    return decide(call, found, { verdict, ...(comment === undefined ? {} : { text: comment }) });
  },
});

const carried = z.object({ item: z.string() });

/** What an agent may say itself is recorded as its own. All else is put to its person, or refused. */
async function decide(call: Call, found: OpenItem, proposed: Said): Promise<Answer | InputRequiredResult> {
  const { caller, control } = call;
  const { item, entry } = found;
  if (caller.rights.approve || !isPersons(item.kind, proposed)) {
    const agreed = whyNotAgents(item, caller);
    if (agreed !== undefined)
      throw new McpCallError("NOT_ALLOWED", `${item.item}: ${agreed}`, "Tell the people: `stepfall inbox` shows it.");
    return told(found, await record(control, caller, "agent", item.item, proposed));
  }
  const back = broughtBack(call, carried);
  if (back?.state.item === item.item) return settled(call, found, back.reply);
  const no = caller.asks === undefined ? "this client cannot ask its person" : whyNotAsked(item);
  if (no !== undefined)
    throw new McpCallError(
      "NOT_ALLOWED",
      `${item.item} is for a person to decide, and ${no}`,
      `Tell them: \`stepfall inbox\` shows it, and there or in the dashboard they decide. Who wants agents to decide starts the server with --allow-approve.`,
    );
  const wish = `${caller.agent} proposes: ${proposed.verdict === "answer" ? "to answer" : `to ${proposed.verdict}`}${proposed.text ? `: ${JSON.stringify(proposed.text)}` : ""}`;
  const form = formOf(item, entry, wish);
  const asked = await askPerson(call, form, { item: item.item } satisfies z.infer<typeof carried>);
  return asked.kind === "calls-again" ? asked.result : settled(call, found, asked.reply);
}

async function settled(call: Call, found: OpenItem, reply: Reply): Promise<Answer> {
  const { item, entry } = found;
  const said = reply.kind === "filled" ? saidIn(item.kind, reply.content) : undefined;
  if (said) return told(found, await record(call.control, call.caller, "person", item.item, said));
  call.declined.add(item.item);
  const what =
    reply.kind === "filled" ? `What the person filled in cannot be used: ${WHAT_FITS}` : "The person was asked and decided nothing.";
  const next = `${what} It still waits: in the dashboard, and in \`stepfall inbox\`.`;
  return { data: { item: item.item, runId: entry.runId, recorded: false, next } };
}

function told({ entry, item }: OpenItem, { verdict, text, by, stillNeeded, driven }: Decided): Answer {
  const who = by.includes("/") ? `The person decided, recorded as ${by}.` : `Recorded as decided by ${by}, an agent, and by no person.`;
  const more = stillNeeded > 0 ? ` ${stillNeeded} more must agree.` : driven ? " The run goes on: wait_run." : "";
  const data = { item: item.item, runId: entry.runId, recorded: true, verdict, by, stillNeeded, next: `${who}${more}` };
  return { data: text === undefined ? data : { ...data, text } };
}
