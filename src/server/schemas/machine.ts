import { z } from "@hono/zod-openapi";
import { KnownProject, Liveness, MicroUsd, Ms, ProviderState, QueueDepth, Slots, Time } from "./common.ts";

const Role = z.enum(["viewer", "operator", "approver"]).openapi("Role");

export const Me = z
  .object({ actor: z.string(), role: Role, version: z.string(), program: z.string(), projects: z.array(KnownProject) })
  .openapi("Me");

export const LoginLink = z.object({ url: z.string(), role: Role, expiresAt: Time }).openapi("LoginLink");

export const AgentsView = z
  .object({
    project: z.string().optional(),
    agents: z.array(
      z
        .object({
          id: z.string(),
          tier: z.string(),
          executor: z.string(),
          model: z.string().optional(),
          account: z.string(),
          slots: z.number().int().optional(),
          busy: z.number().int(),
          capabilities: z.array(z.string()),
          providerState: ProviderState.optional(),
        })
        .openapi("AgentRow"),
    ),
    attempts: z.array(
      z
        .object({
          attempt: z.string(),
          runId: z.string(),
          agent: z.string().optional(),
          lease: z.object({ holder: z.string(), epoch: z.number().int(), until: Time, isGone: z.boolean() }),
          live: Liveness.optional(),
        })
        .openapi("LiveAttempt"),
    ),
    queue: QueueDepth,
    slots: Slots,
    problem: z.string().optional(),
  })
  .openapi("AgentsView");

const PeriodBudget = z.object({ limit: MicroUsd, per: z.enum(["day", "week", "month", "ever"]) });

/** `home`, agents, providers, budgets and so on as they count; never a secret's value. */
export const Settings = z
  .object({
    project: z.string().optional(),
    home: z.string(),
    files: z.array(z.object({ path: z.string(), isThere: z.boolean() })),
    slots: z.number().int(),
    graceMs: Ms,
    tiers: z.array(z.string()),
    agents: z.array(
      z.object({
        id: z.string(),
        tier: z.string(),
        executor: z.string(),
        account: z.string(),
        capabilities: z.array(z.string()),
        provider: z.string().optional(),
        model: z.string().optional(),
        preset: z.string().optional(),
        credentials: z.string().optional(),
        url: z.string().optional(),
      }),
    ),
    providers: z.array(
      z.object({
        id: z.string(),
        url: z.string(),
        isLocal: z.boolean(),
        isScripted: z.boolean(),
        protocols: z.array(z.string()),
        keyEnv: z.string().optional(),
        ready: z.object({ ok: z.boolean(), problem: z.string().optional(), hint: z.string().optional() }),
      }),
    ),
    defaultAgent: z.string().optional(),
    routing: z.looseObject({}),
    fallback: z.array(z.object({ provider: z.string(), model: z.string() })),
    budgets: z.object({
      fleet: z.array(PeriodBudget),
      project: z.array(PeriodBudget),
      run: MicroUsd.optional(),
      step: MicroUsd.optional(),
      attempt: MicroUsd.optional(),
    }),
    isolation: z.looseObject({ ports: z.number().int(), env: z.array(z.string()) }),
    sandbox: z.object({
      policy: z.enum(["require", "prefer", "off"]),
      domains: z.array(z.string()),
      readable: z.array(z.string()),
      writable: z.array(z.string()),
    }),
    quota: z.looseObject({}).optional(),
    protected: z.array(z.string()),
    setup: z.array(z.string()),
    teardown: z.array(z.string()),
    origins: z.record(z.string(), z.looseObject({ kind: z.string() })),
  })
  .openapi("Settings");

export const Doctor = z
  .looseObject({
    ok: z.boolean(),
    checks: z.array(
      z.object({ name: z.string(), verdict: z.enum(["ok", "note", "problem"]), detail: z.string(), hint: z.string().optional() }),
    ),
  })
  .openapi("Doctor");
