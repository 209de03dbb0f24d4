import { z } from "@hono/zod-openapi";
import { parseDuration } from "../../config/index.ts";
import type { LedgerPart } from "../../control/index.ts";
import type { Clock } from "../../domain/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { CostView, Dimension, GatesView } from "../schemas/ledger.ts";
import { AgentsView, Doctor, LoginLink, Me, Settings } from "../schemas/machine.ts";
import { AskLink } from "../schemas/requests.ts";
import { serve, type Api, type Served } from "./define.ts";

const ofProject = z.object({ project: z.string().optional() });
const part = ofProject.extend({
  since: z.string().optional().openapi({ description: "Epoch milliseconds, or how long ago: 7d, 12h" }),
});

export function serveMachine(api: Api, served: Served): void {
  const { control, version, program, clock } = served;
  const role = "viewer";
  serve(api, { method: "get", path: "/me", role, summary: "Who you are here", answers: Me }, async ({ caller }) => ({
    actor: caller.actor,
    role: caller.role,
    version,
    program,
    projects: await control.projects(),
  }));
  serve(
    api,
    { method: "get", path: "/agents", role, summary: "Agents, attempts that run, the queue", query: ofProject, answers: AgentsView },
    ({ query }) => control.agents(query.project),
  );
  serve(
    api,
    {
      method: "get",
      path: "/cost",
      role,
      summary: "The ledger summed up, and what was saved",
      query: part.extend({ by: Dimension.optional() }),
      answers: CostView,
    },
    ({ query: { by = "run", ...asked } }) => control.cost(by, partOf(asked, clock)),
  );
  serve(
    api,
    { method: "get", path: "/gates", role, summary: "What each gate said, and how often it was wrong", query: part, answers: GatesView },
    ({ query }) => control.gates(partOf(query, clock)),
  );
  serve(
    api,
    { method: "get", path: "/settings", role, summary: "What is set, without secrets", query: ofProject, answers: Settings },
    ({ query }) => control.settings(query.project),
  );
  const checking = new Map<string, Promise<unknown>>();
  serve(
    api,
    {
      method: "get",
      path: "/doctor",
      role: "operator",
      summary: "Check this machine: agents are really started, which takes a while",
      query: ofProject,
      answers: Doctor,
    },
    ({ query: { project } }) => {
      const key = project ?? "";
      // Whoever asks meanwhile gets the same answer.
      const answer = checking.get(key) ?? control.doctor(project).finally(() => checking.delete(key));
      checking.set(key, answer);
      return answer;
    },
  );
  serve(
    api,
    {
      method: "post",
      path: "/login-links",
      role,
      summary: "A link that logs a browser in, once; of your own role, or of a lower one",
      body: AskLink,
      answers: LoginLink,
    },
    ({ body, caller }) => served.loginLink(caller, body.role, body.to),
  );
}

function partOf({ project, since }: { project?: string | undefined; since?: string | undefined }, clock: Clock): LedgerPart {
  const at = since === undefined ? undefined : sinceOf(since, clock);
  return { ...(project === undefined ? {} : { project }), ...(at === undefined ? {} : { since: at }) };
}

function sinceOf(text: string, clock: Clock): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const ms = parseDuration(text);
  if (ms !== undefined) return clock.now() - ms;
  throw new RequestError(
    "USAGE",
    `since=${text.slice(0, 40)} is neither a time nor a duration`,
    "Give epoch milliseconds, or 7d, 12h, 30m.",
  );
}
