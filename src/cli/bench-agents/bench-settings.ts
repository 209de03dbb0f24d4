import type { Config } from "../../config/index.ts";
import { importLeftBill } from "../../setup/bill.ts";
import { projectHere } from "../../setup/find-run.ts";
import { withFound } from "../../setup/found-agents.ts";
import { configFlags, type RunOptions } from "../../setup/run-options.ts";
import { loadSettings } from "../../setup/settings.ts";
import { openStore } from "../../setup/store.ts";
import type { Cli } from "../cli.ts";
import { parseBudget } from "../commands/run.ts";

/** The settings of where one stands, for their agents: whatever else a project says of its own work does not hold for these tasks. */
export async function agentSettings(cli: Cli, flags: RunOptions, named: readonly string[] | undefined): Promise<Config> {
  const project = await projectHere(cli);
  const loaded = await loadSettings(cli, { project, at: project?.head, flags: configFlags(flags) });
  const isKnown = named?.every((id) => loaded.agents.some((a) => a.id === id)) ?? loaded.agents.length > 0;
  const config = await withFound(cli, loaded, isKnown ? "no servers" : "servers");
  return {
    ...config,
    setup: [],
    teardown: [],
    protected: undefined,
    routing: { ...config.routing, rules: [], split: undefined },
    budgets: { ...config.budgets, project: [], run: undefined, step: undefined, attempt: undefined },
  };
}

/** What may still be spent is a limit of the scratch project, which the gateway holds for all runs together. */
export async function withinBudget(cli: Cli, config: Config, project: string, budget: string | undefined): Promise<Config> {
  if (budget === undefined) return config;
  const limit = parseBudget(budget);
  const store = await openStore(cli);
  try {
    await importLeftBill(cli, store);
    const before = await store.spent({ since: 0, project });
    return { ...config, budgets: { ...config.budgets, project: [{ limit: before + limit, per: "ever" }] } };
  } finally {
    await store.close();
  }
}
