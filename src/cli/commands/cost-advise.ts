import { advise } from "../../models/index.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { economicsOf, maskData, readLedger, settingsHere, sinceTime, toldSavings } from "../../control/index.ts";
import { adviceText, dataText, type AdviceData } from "../show/cost-advice.ts";
import { savingsText } from "../show/cost-savings.ts";
import { partOf, partText, type LedgerFlags } from "./cost-by.ts";

/** `stepfall cost --advise`: which agent alone, or which cascade, would have been cheapest at as many right results; or that too little is known. */
export async function costAdvise(cli: Cli, flags: LedgerFlags): Promise<number> {
  const since = sinceTime(flags.since, cli.clock.now());
  return withStore(cli, async (store) => {
    const { project, config, problem, mask } = await settingsHere(cli);
    const part = partOf(project?.top, since, flags);
    const ledger = await readLedger(cli, store, part);
    const economics = await economicsOf(cli, store, ledger, config);
    const { rows, steps, learnt, candidates } = economics;
    const advice = maskData(advise(candidates, learnt.outcomes, learnt.gate), mask);
    const own = new Set(rows.map((row) => row.work));
    const bench = learnt.outcomes.rows().filter((row) => !own.has(row.work)).length;
    const scripted = ledger.calls.filter((call) => ledger.isScripted(call.runId, call.provider)).length;
    const data: AdviceData = { steps, attempts: rows.length, known: rows.filter((row) => row.right !== undefined).length, bench, scripted };
    const told = maskData(toldSavings(economics), mask);
    if (problem !== undefined) cli.out.note(mask(problem));
    if (cli.json) cli.out.json({ version: 1, ...part, runs: ledger.runCount, data, advice, gate: learnt.gate, savings: told });
    else {
      const said = [
        partText(part, ledger.runCount),
        adviceText(advice, data, candidates.length),
        "",
        dataText(data, learnt.gate),
        "",
        savingsText(told),
      ];
      cli.out.data(said.join("\n"));
    }
    return Exit.ok;
  });
}
