import type { Config } from "../../config/index.ts";
import { readLive } from "../../fleet/index.ts";
import { troubledProviders } from "../../models/index.ts";
import { isDead } from "../../setup/identity.ts";
import { buildRegistry } from "../../setup/registry.ts";
import type { HeldLease, Store } from "../../store/index.ts";
import type { AgentRow, AgentsView, LiveAttempt } from "../contract.ts";
import { queueDepths } from "./queue-depth.ts";

/** Attempts that are leased now; what a process of this machine left behind when it died is told as such. */
export async function leasedAttempts(store: Pick<Store, "leases">, home: string, now: number): Promise<LiveAttempt[]> {
  const isAttempt = (lease: HeldLease): lease is HeldLease & { runId: string } => lease.runId !== undefined;
  return (await store.leases("")).filter(isAttempt).map(({ key, runId, agent, holder, epoch, until }) => {
    const isGone = until <= now || isDead(holder);
    const live = isGone ? undefined : readLive(home, key, now);
    return { attempt: key, runId, agent, lease: { holder, epoch, until, isGone }, ...(live ? { live } : {}) };
  });
}

export const busyOf = (attempts: readonly LiveAttempt[]): number => attempts.filter(({ lease }) => !lease.isGone).length;

/** Agents as the settings have them, and what they do now. */
export async function viewAgents(
  { store, home, now }: { store: Store; home: string; now: number },
  found: { config: Config } | { problem: string },
): Promise<Omit<AgentsView, "project">> {
  const attempts = await leasedAttempts(store, home, now);
  const queue = await (await queueDepths(store, now))();
  if ("problem" in found) return { agents: [], attempts, queue, slots: { busy: busyOf(attempts), total: 0 }, problem: found.problem };
  const { config } = found;
  const registry = buildRegistry(config, new Map());
  const slots = registry.accountSlots();
  const troubled = troubledProviders(home, now);
  const agents = registry.list().map(({ id, tier, executorKind, model, account, capabilities }): AgentRow => {
    const provider = model?.split("/")[0];
    const state = troubled.find((s) => s.provider === provider);
    return {
      id,
      tier,
      executor: executorKind,
      account,
      capabilities,
      ...(model === undefined ? {} : { model }),
      ...(slots[account] === undefined ? {} : { slots: slots[account] }),
      busy: busyOf(attempts.filter((a) => a.agent === id)),
      ...(state ? { providerState: state } : {}),
    };
  });
  return { agents, attempts, queue, slots: { busy: busyOf(attempts), total: config.slots } };
}
