import type { Config } from "../../config/index.ts";
import { costOf, type Candidate, type TaughtRow } from "../../models/index.ts";
import type { CallRow, OutcomeRow, Store } from "../../store/index.ts";
import { withFound } from "../../setup/found-agents.ts";
import { projectHere } from "../../setup/find-run.ts";
import { learntFrom, MOST_DAYS, taughtRow, WORKLOAD, type Learnt } from "../../setup/learnt.ts";
import { isGatewayAgent, priceFor, providerOf } from "../../setup/registry.ts";
import { loadSettings } from "../../setup/settings.ts";
import type { Project } from "../../workspace/index.ts";
import type { Surroundings } from "../../setup/surroundings.ts";
import type { Ledger } from "./read-ledger.ts";

/** What economics are reckoned from. */
export interface Economics {
  /** Judged attempts of the part that is looked at. */
  rows: readonly TaughtRow[];
  /** Steps they belong to. */
  steps: number;
  /** From these rows and those of benchmark runs. */
  learnt: Learnt;
  /** Agents of the ledger and of the settings. */
  candidates: readonly Candidate[];
  premiumTier: string;
}

const DAY_MS = 86_400_000;
const PREMIUM = "premium";

export async function economicsOf(cli: Surroundings, store: Store, ledger: Ledger, config: Config | undefined): Promise<Economics> {
  const outcomes = ledger.outcomes.filter(({ project }) => !project.startsWith(WORKLOAD));
  const rows = outcomes.flatMap(taughtRow);
  const since = ledger.part.since ?? cli.clock.now() - MOST_DAYS * DAY_MS;
  const bench = (await store.outcomes({ since })).filter(({ project }) => project.startsWith(WORKLOAD));
  const own = outcomes.filter(({ at }) => at >= since);
  return {
    rows,
    steps: new Set(rows.map((row) => row.work)).size,
    learnt: learntFrom([...own, ...bench]),
    candidates: candidatesOf(rows, config, config ? listPrices(config, ledger.calls, outcomes) : new Map()),
    premiumTier: config?.tiers.at(-1) ?? PREMIUM,
  };
}

/**
 * What an attempt costs by each agent's list: the calls of the judged attempts in the ledger, at that agent's prices. Of agents without a known
 * price nothing, and nothing at all while no such call is known.
 */
export function listPrices(config: Config, calls: readonly CallRow[], outcomes: readonly OutcomeRow[]): Map<string, number> {
  const judged = new Set(outcomes.flatMap((o) => (taughtRow(o).length > 0 ? [o.attempt] : [])));
  const made = calls.filter((call) => call.outcome !== "refused" && judged.has(call.attempt));
  const attempts = new Set(made.map((call) => call.attempt)).size;
  if (attempts === 0) return new Map();
  return new Map(
    config.agents.flatMap((agent) => {
      const price = isGatewayAgent(agent) ? priceFor(agent, providerOf(agent, config)) : undefined;
      return price ? [[agent.id, made.reduce((sum, call) => sum + costOf(call, price), 0) / attempts] as const] : [];
    }),
  );
}

function candidatesOf(rows: readonly TaughtRow[], config: Config | undefined, prices: ReadonlyMap<string, number>): Candidate[] {
  const tiers = new Map(rows.map((row) => [row.agent, row.tier]));
  for (const { id, tier } of config?.agents ?? []) tiers.set(id, tier);
  return [...tiers].map(([id, tier]) => ({ id, tier, listMicroUsd: prices.get(id) }));
}

/** What a command that looks knows of where the person stands. */
export interface Here {
  project?: Project;
  /** Absent: they cannot be read. */
  config?: Config;
  /** Why not. */
  problem?: string;
  /** Hides what is known as a secret here. */
  mask: (text: string) => string;
}

/** The settings that count where the person stands, with the agents that are found; local servers are not asked. */
export async function settingsHere(cli: Surroundings): Promise<Here> {
  const project = await projectHere(cli);
  try {
    const settings = await loadSettings(cli, { project, at: project?.head });
    const config = await withFound(cli, settings, "no servers");
    return { ...(project ? { project } : {}), config, mask: (text) => config.secrets.mask(text) };
  } catch (error) {
    const problem = `the settings cannot be read, so prices and agents are those of the ledger: ${(error as Error).message.split("\n")[0]}`;
    // What the environment and the user's own file name as secrets stays hidden.
    const user = await loadSettings(cli, {}).catch(() => undefined);
    return { ...(project ? { project } : {}), problem, mask: (text) => user?.secrets.mask(text) ?? text };
  }
}
