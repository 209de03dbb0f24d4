import { shown } from "../../config/index.ts";
import { dimensions, viewBy, type Dimension } from "../../models/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { economicsOf, maskData, type LedgerPart, readLedger, settingsHere, sinceTime, toldSavings, zoneOf } from "../../control/index.ts";
import { savingsText } from "../show/cost-savings.ts";
import { viewText } from "../show/cost-view.ts";

export interface LedgerFlags {
  since?: string | undefined;
  all?: boolean | undefined;
}

/** `stepfall cost --by WHAT`: all runs of the project summed up, and what was saved. */
export async function costBy(cli: Cli, given: string, flags: LedgerFlags): Promise<number> {
  const by = dimensionOf(given);
  const since = sinceTime(flags.since, cli.clock.now());
  return withStore(cli, async (store) => {
    const { project, config, problem, mask } = await settingsHere(cli);
    const part = partOf(project?.top, since, flags);
    const ledger = await readLedger(cli, store, part);
    const zone = zoneOf();
    // Masked before it is laid out: a mask has another width.
    const view = maskData(viewBy(by, ledger, zone.dayOf), mask);
    const told = maskData(toldSavings(await economicsOf(cli, store, ledger, config)), mask);
    if (problem !== undefined) cli.out.note(mask(problem));
    if (cli.json) cli.out.json({ version: 1, ...part, runs: ledger.runCount, timeZone: zone.name, ...view, savings: told });
    else cli.out.data([partText(part, ledger.runCount), viewText(view, { since, zone }), "", savingsText(told)].join("\n"));
    return Exit.ok;
  });
}

/** Outside of a project there is only all of it. */
export const partOf = (project: string | undefined, since: number | undefined, { all }: LedgerFlags): LedgerPart => ({
  ...(project === undefined || all === true ? {} : { project }),
  ...(since === undefined ? {} : { since }),
});

export const partText = ({ project }: LedgerPart, runs: number): string =>
  `${runs === 1 ? "The one run" : `${runs} runs`} of ${project ?? "all projects of this home"}`;

function dimensionOf(given: string): Dimension {
  const by = dimensions.find((d) => d === given);
  if (by) return by;
  throw new RequestError("USAGE", `--by ${shown(given, 40)} is nothing to sum by`, `Give one of ${dimensions.join(", ")}.`);
}
