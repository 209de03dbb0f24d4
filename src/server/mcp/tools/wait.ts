import { setTimeout as delay } from "node:timers/promises";
import type { InputRequiredResult } from "@modelcontextprotocol/server";
import { z } from "zod";
import { verdictOn, type InboxItem, type RunState } from "../../../domain/index.ts";
import { isTyped } from "../../../setup/failure.ts";
import { askPerson, broughtBack, type Reply } from "../ask-person.ts";
import { formOf, record, saidIn, WHAT_FITS, whyNotAsked, type Decided } from "../deciding.ts";
import { defineTool, looks, type Answer, type Call } from "../tool.ts";
import { watchRun, type Watched } from "../watch-run.ts";
import { overviewOf } from "./look.ts";
import { runArgument, shownItem } from "./run-words.ts";

const decided = z.object({ item: z.string(), verdict: z.string(), text: z.string().optional(), by: z.string() });

export const waitRun = defineTool({
  name: "wait_run",
  title: "Wait for a run",
  description:
    "Waits until a run is over or asks something, at most `timeout_s` seconds, and answers where it stands then. Call it again to go on waiting; the run goes on by itself. What the run asks meanwhile is put to the person at this client where the client can; else the answer names it.",
  input: z.strictObject({
    run: runArgument,
    timeout_s: z.number().min(0).max(3600).default(25).describe("Many clients give a call up after 30 or 60 seconds"),
  }),
  output: z.object({
    runId: z.string(),
    status: z.string(),
    why: z.enum(["over", "waiting", "news", "stopped", "timeout"]).describe("Why the wait ended. news: something new waits for people"),
    because: z.string().optional(),
    stepsByStatus: z.record(z.string(), z.number()),
    microUsd: z.number(),
    decided: z.array(decided).describe("What the person at this client decided meanwhile"),
    waiting: z.array(shownItem),
    waitingLeftOut: z.number().optional(),
    next: z.string(),
  }),
  hints: looks,
  act: async ({ run, timeout_s }, call) => {
    const back = broughtBack(call, carried);
    const waiting: Waiting = back?.state ?? {
      runId: (await call.control.run(run)).runId,
      leftMs: timeout_s * 1000,
      asked: [],
      decided: [],
      notes: [],
    };
    if (back && waiting.item !== undefined) await settle(call, waiting, waiting.item, back.reply);
    return waitOn(call, waiting);
  },
});

/** What a wait knows of itself; a client that goes to ask its person keeps it meanwhile. Time that the person takes does not count. */
const carried = z.object({
  runId: z.string(),
  leftMs: z.number(),
  /** Under way: what the person is asked. */
  item: z.string().optional(),
  asked: z.array(z.string()),
  decided: z.array(decided),
  /** For the agent to read at the end. */
  notes: z.array(z.string()),
});
type Waiting = z.infer<typeof carried>;

/** Clients go and ask ten times at most for one call. */
const MOST_ASKED = 8;
const TAKE_IN_MS = 200;

async function waitOn(call: Call, waiting: Waiting): Promise<Answer | InputRequiredResult> {
  const { control, clock, ctx, say } = call;
  for (;;) {
    const state = await control.state(waiting.runId);
    const item = toAsk(call, waiting, state);
    if (item) {
      const asked = await askPerson(call, formOf(item, { runId: state.runId, pipeline: state.pipeline.name }), {
        ...waiting,
        item: item.item,
      });
      if (asked.kind === "calls-again") return asked.result;
      await settle(call, waiting, item.item, asked.reply);
      continue;
    }
    const from = clock.now();
    const watched = await watchRun(control, state, { timeoutMs: waiting.leftMs, signal: ctx.mcpReq.signal, onProgress: say });
    waiting.leftMs = Math.max(0, waiting.leftMs - (clock.now() - from));
    if (watched.kind === "waiting" || watched.kind === "news") {
      const now = await control.state(waiting.runId);
      if (toAsk(call, waiting, now)) continue;
      // What was just answered is taken in by whoever drives the run in a moment.
      if (!waitsStill(now, clock.now()) && waiting.leftMs > 0) {
        await delay(TAKE_IN_MS, undefined, { signal: ctx.mcpReq.signal });
        waiting.leftMs -= TAKE_IN_MS;
        continue;
      }
    }
    return standing(call, waiting, watched);
  }
}

const waitsStill = ({ inbox, pauses }: RunState, at: number): boolean =>
  pauses.size > 0 || [...inbox.values()].some((item) => verdictOn(item, at, undefined).kind === "open");

/** What is put to the person now: each thing once, and nothing that is not theirs alone. */
function toAsk({ caller, declined }: Call, { asked }: Waiting, state: RunState): InboxItem | undefined {
  if (caller.asks === undefined || !caller.rights.answer || state.status === "finished" || asked.length >= MOST_ASKED) return undefined;
  const open = [...state.inbox.values()].filter(
    (i) => !asked.includes(i.item) && !declined.has(i.item) && i.answers.length === 0 && whyNotAsked(i) === undefined,
  );
  return open.sort((a, b) => a.openedAt - b.openedAt)[0];
}

async function settle({ control, caller, declined }: Call, waiting: Waiting, item: string, reply: Reply): Promise<void> {
  delete waiting.item;
  if (waiting.asked.includes(item)) return;
  waiting.asked.push(item);
  const kind = (await control.state(waiting.runId)).inbox.get(item)?.kind;
  // Somebody answered elsewhere while the form was open.
  if (kind === undefined) return;
  const said = reply.kind === "filled" ? saidIn(kind, reply.content) : undefined;
  if (!said) {
    declined.add(item);
    if (reply.kind === "filled") waiting.notes.push(`What the person filled in for ${item} cannot be used: ${WHAT_FITS}`);
    return;
  }
  try {
    const { verdict, text, by }: Decided = await record(control, caller, "person", item, said);
    waiting.decided.push({ item, verdict, by, ...(text === undefined ? {} : { text }) });
  } catch (error) {
    // Such an answer is not taken, or somebody was faster: the wait goes on, and its answer tells.
    if (!isTyped(error)) throw error;
    waiting.notes.push(`What the person said to ${item} was not taken: ${error.message}. ${error.hint}`);
    declined.add(item);
  }
}

async function standing({ control }: Call, { runId, decided: said, notes }: Waiting, { kind }: Watched): Promise<Answer> {
  const { status, because, stepsByStatus, microUsd, waiting, waitingLeftOut, next } = overviewOf(await control.run(runId));
  // The last of what went on ends in the moment in which something new waits.
  const why = kind === "news" && (status === "waiting" || status === "budget") ? "waiting" : kind;
  const told = why === "news" ? `Something new waits for people; the other steps go on. ${NEWS}` : next;
  const left = waitingLeftOut === undefined ? {} : { waitingLeftOut };
  const about = { stepsByStatus, microUsd, decided: said, waiting, ...left, next: [...notes, told].join(" ") };
  return { data: { runId, status, why, ...(because === undefined ? {} : { because }), ...about } };
}

const NEWS = "`answer` is for questions, `approve` has a person decide; wait_run goes on waiting.";
