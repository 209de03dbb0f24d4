import type { Loading } from "./loading.ts";
import type { AgentSettings } from "./settings.ts";
import type { Settings } from "./settings-schema.ts";
import { named } from "./yaml/shown.ts";

/** How attempts climb from tier to tier; what is absent is ours. */
export interface ClimbSettings {
  escalate: boolean;
  entry?: string | undefined;
  ceiling?: string | undefined;
  attempts?: number | Readonly<Record<string, number>> | undefined;
}

/** All that the settings say about routing beside the agents. */
export interface RoutingSettings extends ClimbSettings {
  /** The project's before the user's. */
  rules: readonly NonNullable<Settings["rules"]>[number][];
  /** Another policy for a share of the steps. */
  split?: (ClimbSettings & { name: string; share: number }) | undefined;
}

/** `isAsked`: a person named the agent or the model for this run, and means it. */
export function gatherRouting(
  loading: Loading,
  agents: ReadonlyMap<string, AgentSettings>,
  isAsked: boolean,
  mayBeFound: (id: string) => boolean,
): RoutingSettings {
  const rules: RoutingSettings["rules"][number][] = [];
  for (const file of loading.files) {
    for (const [i, rule] of (file.settings.rules ?? []).entries()) {
      const path = ["rules", String(i)];
      if (Object.keys(rule.when).length === 0)
        loading.refuseIn(
          file,
          "BAD_VALUE",
          [...path, "when"],
          "This rule says nothing of when it holds",
          "Name `type`, `labels`, `paths` or `step`",
        );
      if (Object.keys(rule.use).length === 0)
        loading.refuseIn(
          file,
          "BAD_VALUE",
          [...path, "use"],
          "This rule says nothing of what to use",
          "Name `agent`, `tier` or `capability`",
        );
      const { agent } = rule.use;
      if (agent !== undefined && !agents.has(agent) && !mayBeFound(agent) && !loading.files.some((f) => f.source?.has(["agents", agent])))
        loading.refuseIn(
          file,
          "UNKNOWN_AGENT",
          [...path, "use", "agent"],
          `There is no agent ${named(agent)}`,
          `Agents: ${[...agents.keys()].join(", ") || "none"}`,
        );
      rules.push(rule);
    }
  }
  const { split, escalate = true, ...climb } = loading.setting("routing")?.value ?? {};
  return {
    rules,
    ...climb,
    escalate: escalate && !isAsked,
    ...(split && !isAsked ? { split: { ...split, escalate: split.escalate ?? escalate } } : {}),
  };
}
