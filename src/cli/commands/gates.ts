import { maskData, readGates, readLedger, settingsHere, sinceTime } from "../../control/index.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { gatesText } from "../show/gates-text.ts";
import { partOf, partText, type LedgerFlags } from "./cost-by.ts";

/** `stepfall gates`: what each gate said, and how often that turned out to be wrong. */
export async function gates(cli: Cli, flags: LedgerFlags): Promise<number> {
  const since = sinceTime(flags.since, cli.clock.now());
  return withStore(cli, async (store) => {
    const { project, mask } = await settingsHere(cli);
    const part = partOf(project?.top, since, flags);
    const ledger = await readLedger(cli, store, part);
    // Before it is laid out: a mask has another width, and half a secret would not be known for one.
    const { gates: report, together } = maskData(await readGates(store, ledger), mask);
    if (cli.json) cli.out.json({ version: 1, ...part, runs: ledger.runCount, gates: report, together });
    else if (report.length === 0) cli.out.note(`${partText(part, ledger.runCount)}: no gate has judged anything yet.`);
    else cli.out.data(`${partText(part, ledger.runCount)}\n${gatesText(report, together)}`);
    return Exit.ok;
  });
}
