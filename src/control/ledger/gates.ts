import { gateReport, judgementsOf, type GateQuality, type GateReport, type Judgement } from "../../models/index.ts";
import { learntFrom } from "../../setup/learnt.ts";
import type { Store } from "../../store/index.ts";
import type { Ledger } from "./read-ledger.ts";

/** Events read at a time: each may hold what its gates printed. */
const PAGE = 1000;

/** What each gate said and how often it was wrong, and all of them together as routing reckons with them. */
export async function readGates(store: Store, ledger: Ledger): Promise<{ gates: readonly GateReport[]; together: GateQuality }> {
  return { gates: gateReport(await judgements(store, ledger), ledger.outcomes), together: learntFrom(ledger.outcomes).gate };
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
