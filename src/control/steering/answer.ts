import { setTimeout as sleep } from "node:timers/promises";
import { runOfItem, runStream } from "../../domain/index.ts";
import { answerItem, type Answer } from "../../engine/index.ts";
import { driverOf, loadRun } from "../../setup/find-run.ts";
import { nameOf, type Asking } from "../request.ts";
import { findItem } from "./find-item.ts";

export interface AnswerRecorded {
  runId: string;
  item: string;
  by: string;
  /** How many more must approve. */
  stillNeeded: number;
  /** Version of the run before it. */
  version: number;
}

/** Records what a person says to an item, named whole or by any part that only one has. Whether anybody goes on with it is another matter. */
export async function answerAs(
  asking: Asking,
  given: string,
  { verdict, text }: Pick<Answer, "verdict" | "text">,
): Promise<AnswerRecorded> {
  const { store, clock, actor } = asking;
  const { item: name } = await findItem(store, given);
  const by = nameOf(actor);
  const { runId, state } = await answerItem(store, clock, { item: name, by, verdict, text: await hidden(asking, name, text) }, actor);
  const item = state.inbox.get(name);
  const stillNeeded = item && verdict === "approve" ? Math.max(0, item.count - item.answers.length) : 0;
  return { runId, item: name, by, stillNeeded, version: state.version };
}

const LOOK_MS = 100;

/**
 * Whether whoever drives the run goes on with what was recorded after `after`: a driver that is there may be about to end. Within `ms`; one that is
 * still there then is busy, and will.
 */
export async function isTaken(
  { store, clock }: Pick<Asking, "store" | "clock">,
  { runId, after, ms, signal }: { runId: string; after: number; ms: number; signal?: AbortSignal },
): Promise<boolean> {
  for (const end = performance.now() + ms; ; await sleep(LOOK_MS, undefined, signal ? { signal } : {})) {
    const isDriven = (await driverOf(store, runId, clock.now())) !== undefined;
    const since = await store.read(runStream(runId), { after });
    if (since.some((e) => e.actor === "engine")) return true;
    if (!isDriven || performance.now() >= end) return isDriven;
  }
}

async function hidden(asking: Asking, item: string, text: string | undefined): Promise<string | undefined> {
  const runId = runOfItem(item);
  // What is no item is told apart by whoever records it.
  if (text === undefined || runId === undefined) return text;
  const mask = await asking.maskOf(await loadRun(asking.store, runId));
  return mask(text);
}
