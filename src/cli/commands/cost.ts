import { formatUsd, parseAttemptId } from "../../domain/index.ts";
import { billOf, type BillRow } from "../../models/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { importLeftBill } from "../../setup/bill.ts";
import { RequestError } from "../../setup/failure.ts";
import { findRun, loadRun } from "../../setup/find-run.ts";
import { readOptions } from "../../setup/run-options.ts";
import { homeOf } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import { billText } from "../show/bill-text.ts";
import { integer } from "../show/format.ts";
import { saidIn } from "../../control/index.ts";
import { table } from "../show/table.ts";
import { costAdvise } from "./cost-advise.ts";
import { costBy, type LedgerFlags } from "./cost-by.ts";

export interface CostFlags extends LedgerFlags {
  by?: string | undefined;
  advise?: boolean | undefined;
}

interface Sum {
  name: string;
  calls: number;
  inputTokens: number;
  outputTokens: number;
  microUsd: number;
}

/** `stepfall cost`: of one run, or of many. */
export async function cost(cli: Cli, given: string | undefined, flags: CostFlags): Promise<number> {
  const { by, advise, since, all } = flags;
  if (by === undefined && advise !== true && since === undefined && all !== true) return costOfRun(cli, given);
  if (given !== undefined)
    throw new RequestError(
      "USAGE",
      "a run's bill goes with no other flag",
      "Leave the run out, or leave out --by, --advise, --since and --all.",
    );
  if (by !== undefined && advise === true) throw new RequestError("USAGE", "--by and --advise exclude each other", "Keep one of them.");
  return advise === true ? costAdvise(cli, flags) : costBy(cli, by ?? "run", flags);
}

async function costOfRun(cli: Cli, given: string | undefined): Promise<number> {
  return withStore(cli, async (store) => {
    const { runId } = await findRun(cli, store, given);
    await importLeftBill(cli, store);
    const bill = await billOf(store, runId, saidIn(await loadRun(store, runId)));
    const scripted = readOptions(homeOf(cli), runId).scripted ?? [];
    const sums = {
      byStep: sumBy(bill.rows, (r) => parseAttemptId(r.attempt)?.stepPath ?? r.attempt),
      byAgent: sumBy(bill.rows, (r) => r.agent),
      byModel: sumBy(bill.rows, (r) => `${r.provider}/${r.model}`),
      byTier: sumBy(bill.rows, (r) => r.tier),
    };
    if (cli.json) cli.out.json({ version: 1, ...bill, ...sums, scriptedProviders: scripted });
    else {
      const parts = [billText(bill, scripted)];
      if (bill.rows.length > 0)
        parts.push(
          sumText("STEP", sums.byStep),
          sumText("AGENT", sums.byAgent),
          sumText("MODEL", sums.byModel),
          sumText("TIER", sums.byTier),
        );
      cli.out.data(parts.join("\n\n"));
    }
    return Exit.ok;
  });
}

function sumBy(rows: readonly BillRow[], nameOf: (row: BillRow) => string): Sum[] {
  return [...Map.groupBy(rows, nameOf)].map(([name, group]) => ({
    name,
    calls: group.reduce((n, r) => n + r.calls, 0),
    inputTokens: group.reduce((n, r) => n + r.inputTokens, 0),
    outputTokens: group.reduce((n, r) => n + r.outputTokens, 0),
    microUsd: group.reduce((n, r) => n + r.microUsd, 0),
  }));
}

function sumText(title: string, sums: readonly Sum[]): string {
  const right = (t: string) => ({ title: t, align: "right" as const });
  return table(
    [{ title }, right("CALLS"), right("IN"), right("OUT"), right("USD")],
    sums.map((s) => [s.name, integer(s.calls), integer(s.inputTokens), integer(s.outputTokens), formatUsd(s.microUsd)]),
  );
}
