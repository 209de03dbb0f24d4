import { gateReport, judgementsOf, type GateQuality, type Judgement } from "../../models/index.ts";
import type { Store } from "../../store/index.ts";
import { learntFrom } from "../../setup/learnt.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { settingsHere } from "../setup/economics.ts";
import { readLedger, sinceTime, type Ledger } from "../setup/ledger.ts";
import { gatesText } from "../show/gates-text.ts";
import { maskData } from "../show/mask-data.ts";
import { partOf, partText, type LedgerFlags } from "./cost-by.ts";

/** Events read at a time: each may hold what its gates printed. */
const PAGE = 1000;

/** `stepfall gates`: what each gate said, and how often that turned out to be wrong. */
export async function gates(cli: Cli, flags: LedgerFlags): Promise<number> {
  const since = sinceTime(flags.since, cli.clock.now());
  return withStore(cli, async (store) => {
    const { project, mask } = await settingsHere(cli);
    const part = partOf(project?.top, since, flags);
    const ledger = await readLedger(cli, store, part);
    // Before it is laid out: a mask has another width, and half a secret would not be known for one.
    const report = maskData(gateReport(await judgements(store, ledger), ledger.outcomes), mask);
    const together: GateQuality = learntFrom(ledger.outcomes).gate;
    if (cli.json) cli.out.json({ version: 1, ...part, runs: ledger.runCount, gates: report, together });
    else if (report.length === 0) cli.out.note(`${partText(part, ledger.runCount)}: no gate has judged anything yet.`);
    else cli.out.data(`${partText(part, ledger.runCount)}\n${gatesText(report, together)}`);
    return Exit.ok;
  });
}

/** Of the part of the ledger, without what gates printed. */
async function judgements(store: Store, { part, runs }: Ledger): Promise<Judgement[]> {
  const { project, since = 0 } = part;
  const found: Judgement[] = [];
  for (let after = 0; ;) {
    const page = await store.readAll({ after, limit: PAGE, types: ["AttemptAccepted", "AttemptRejected"] });
    const ours = page.filter(({ stream, at }) => at >= since && (project === undefined || runs.has(stream.slice(stream.indexOf(":") + 1))));
    for (const { gates: judged, ...rest } of judgementsOf(ours))
      found.push({ ...rest, gates: judged.map((gate) => ({ ...gate, evidence: undefined })) });
    const last = page.at(-1);
    if (!last || page.length < PAGE) return found;
    after = last.globalSeq;
  }
}
