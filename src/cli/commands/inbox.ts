import { answerItem, type Answer } from "../../engine/index.ts";
import { findItem } from "../../control/find-item.ts";
import type { InboxRow } from "../../store/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { driverOf } from "../../setup/find-run.ts";
import { actorOf } from "../setup/merge-run.ts";
import { openStoreIfThere, withStore } from "../../setup/store.ts";
import { dateTime, duration } from "../show/format.ts";
import { waitingText } from "../show/waiting-text.ts";
import { commandLine } from "../show/summary.ts";

/** `stepfall inbox`: everything that waits for people, oldest first. */
export async function inbox(cli: Cli): Promise<number> {
  const store = await openStoreIfThere(cli);
  const now = cli.clock.now();
  const rows = (await store?.listInbox()) ?? [];
  await store?.close();
  if (cli.json) cli.out.json({ version: 1, items: rows.map((r) => Object.assign({ waitedMs: now - r.openedAt }, r)) });
  else if (rows.length === 0) cli.out.note("Nothing waits for you.");
  else cli.out.data(rows.map((r) => itemText(cli, r, now)).join("\n\n"));
  return Exit.ok;
}

function itemText(cli: Cli, row: InboxRow, now: number): string {
  const facts = [
    `${row.kind} in run ${row.runId}, for ${duration(now - row.openedAt)}`,
    ...(row.who.length > 0 ? [`for ${row.who.join(", ")}`] : []),
    ...(row.expiresAt === undefined ? [] : [row.expiresAt <= now ? "expired" : `until ${dateTime(row.expiresAt)}`]),
  ];
  return `${row.item}  (${facts.join("; ")})\n${waitingText(row, (...words) => commandLine(cli, ...words))}`;
}

export interface AnswerFlags {
  verdict: Answer["verdict"];
  text?: string | undefined;
}

/** `stepfall approve`, `reject`, `answer`: says something to an item, named whole or by any part that only one has. */
export async function answer(cli: Cli, given: string, { verdict, text }: AnswerFlags): Promise<number> {
  return withStore(cli, async (store) => {
    const row = await findItem(store, given);
    const actor = actorOf(cli);
    const by = actor.replace(/^cli:/, "");
    const { runId, state } = await answerItem(store, cli.clock, { item: row.item, by, verdict, text }, actor);
    const driver = await driverOf(store, runId, cli.clock.now());
    const resume = commandLine(cli, "resume", runId);
    const item = state.inbox.get(row.item);
    const left = item && verdict === "approve" ? item.count - item.answers.length : 0;
    if (cli.json)
      cli.out.json({ version: 1, item: row.item, runId, verdict, by, stillNeeded: Math.max(0, left), driven: driver !== undefined });
    else {
      cli.out.data(`${row.item}: ${verdict} by ${by} recorded`);
      if (left > 0) cli.out.note(`${left} more must approve.`);
      else cli.out.note(driver ? `The run goes on.` : `Nobody drives the run now. Go on with: ${resume}`);
    }
    return Exit.ok;
  });
}
