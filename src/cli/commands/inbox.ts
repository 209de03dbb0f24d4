import type { Answer } from "../../engine/index.ts";
import { answerAs, isTaken } from "../../control/index.ts";
import type { InboxRow } from "../../store/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { driverOf } from "../../setup/find-run.ts";
import { askingAs } from "../setup/person.ts";
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

const TAKEN_MS = 2000;

export interface AnswerFlags {
  verdict: Answer["verdict"];
  text?: string | undefined;
}

/** `stepfall approve`, `reject`, `answer`: says something to an item, named whole or by any part that only one has. */
export async function answer(cli: Cli, given: string, { verdict, text }: AnswerFlags): Promise<number> {
  return withStore(cli, async (store) => {
    const { runId, item, by, stillNeeded, version } = await answerAs(askingAs(cli, store), given, { verdict, text });
    const isDriven =
      stillNeeded === 0
        ? await isTaken({ store, clock: cli.clock }, { runId, after: version, ms: TAKEN_MS })
        : (await driverOf(store, runId, cli.clock.now())) !== undefined;
    const resume = commandLine(cli, "resume", runId);
    if (cli.json) cli.out.json({ version: 1, item, runId, verdict, by, stillNeeded, driven: isDriven });
    else {
      cli.out.data(`${item}: ${verdict} by ${by} recorded`);
      if (stillNeeded > 0) cli.out.note(`${stillNeeded} more must approve.`);
      else
        cli.out.note(
          isDriven
            ? verdict === "reject"
              ? "The run has been told."
              : "The run goes on."
            : `Nobody drives the run now. Go on with: ${resume}`,
        );
    }
    return Exit.ok;
  });
}
