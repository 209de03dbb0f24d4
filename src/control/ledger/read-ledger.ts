import { parseDuration, shown } from "../../config/index.ts";
import { parseAttemptId } from "../../domain/index.ts";
import { importOutcomes, type LedgerData, type OwnWord } from "../../models/index.ts";
import type { RunRow, Store } from "../../store/index.ts";
import { importLeftBill } from "../../setup/bill.ts";
import { RequestError } from "../../setup/failure.ts";
import { loadRun } from "../../setup/find-run.ts";
import { thisHolder } from "../../setup/identity.ts";
import { readOptions } from "../../setup/run-options.ts";
import { homeOf } from "../../setup/settings.ts";
import type { Surroundings } from "../../setup/surroundings.ts";
import type { LedgerPart } from "../contract.ts";
import { saidIn } from "../looking/report.ts";

export interface Ledger extends LedgerData {
  part: LedgerPart;
  runs: ReadonlyMap<string, RunRow>;
  /** Runs of which something is in this part. */
  runCount: number;
}

/** Brings the ledger up to the gateway's spool and the journal, and reads a part of it. */
export async function readLedger(cli: Surroundings, store: Store, part: LedgerPart): Promise<Ledger> {
  await importLeftBill(cli, store);
  await importOutcomes({ store, holder: thisHolder(), now: cli.clock.now() });
  const { project, since = 0 } = part;
  const runs = new Map((await store.runs(project === undefined ? {} : { project })).map((row) => [row.runId, row]));
  const isIn = (runId: string): boolean => project === undefined || runs.has(runId);
  const calls = (await store.calls()).filter((call) => call.at >= since && isIn(call.runId));
  const outcomes = await store.outcomes({ since, ...(project === undefined ? {} : { project }) });
  const scripted = new Map<string, readonly string[]>();
  const scriptedIn = (runId: string): readonly string[] => {
    const known = scripted.get(runId) ?? readOptions(homeOf(cli), runId).scripted ?? [];
    scripted.set(runId, known);
    return known;
  };
  const said = await ownWords(store, { isIn, since });
  const billed = [...calls, ...said].map(({ attempt }) => parseAttemptId(attempt)?.runId);
  return {
    part,
    runs,
    runCount: new Set([...billed, ...outcomes.map(({ runId }) => runId)]).size,
    calls,
    outcomes,
    said,
    pipelines: new Map([...runs].map(([runId, row]) => [runId, row.pipeline])),
    isScripted: (runId, provider) => scriptedIn(runId).includes(provider),
  };
}

/** What agents on their user's login say they used. Only runs with such attempts are read as a whole. */
async function ownWords(
  store: Store,
  { isIn, since }: { isIn: (runId: string) => boolean; since: number },
): Promise<(OwnWord & { at: number })[]> {
  const began = new Map<string, number>();
  const runIds = new Set<string>();
  for (const { event, stream, at } of await store.readAll({ types: ["AttemptStarted"] })) {
    const runId = stream.slice(stream.indexOf(":") + 1);
    if (event.type !== "AttemptStarted" || event.data.credentials !== "direct" || at < since || !isIn(runId)) continue;
    began.set(event.data.attempt, at);
    runIds.add(runId);
  }
  const words: (OwnWord & { at: number })[] = [];
  for (const runId of runIds)
    for (const word of saidIn(await loadRun(store, runId))) {
      const at = began.get(word.attempt);
      if (at !== undefined) words.push({ ...word, at });
    }
  return words;
}

/** The time that `--since 7d` means; throws USAGE. */
export function sinceTime(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined) return now - ms;
  throw new RequestError("USAGE", `--since: ${shown(text, 40)} is not a duration`, "Write 7d, 12h or 30m.");
}
