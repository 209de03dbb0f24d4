import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { apiError, readBody, sendError, sendJson } from "./answers.ts";
import type { BudgetBook } from "./budgets.ts";
import { BudgetsSchema, holdingOf, type Holds } from "./holds.ts";
import { nextRequests, replyToRequest } from "./attempt-mcp/admin-routes.ts";
import type { PendingRequests } from "./attempt-mcp/pending-requests.ts";
import type { AwaitedKeys } from "./awaited-keys.ts";
import type { KeySpec, KeyUsage } from "./contract.ts";
import type { Engines } from "./engines.ts";
import type { Health } from "./failover/health.ts";
import type { FromWorker } from "./handover.ts";
import type { UsageByKey } from "./key-usage.ts";
import { keyIdOf, secretsOf, type Keys, type KeyState } from "./keys.ts";
import type { Mask } from "./mask.ts";
import { gatewayProtocol } from "./folder.ts";

const whole = z.number().int().nonnegative();
const Rates = z.object({
  input: whole,
  cachedInput: whole,
  cacheWrite: whole.optional(),
  cacheWriteLong: whole.optional(),
  output: whole,
});
const BaseUrl = z.url({ protocol: /^https?$/ });

const UpstreamSchema = z.object({
  provider: z.string(),
  baseUrl: BaseUrl,
  bases: z.partialRecord(z.enum(["chat", "responses", "messages", "gemini"]), BaseUrl).optional(),
  apiKey: z.string().optional(),
  model: z.string(),
  price: Rates.extend({
    tiers: z.array(Rates.extend({ above: whole })).optional(),
    source: z.enum(["bundled", "configured", "local"]),
  }).optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

const KeySpecSchema = z.object({
  runId: z.string(),
  attempt: z.string(),
  agent: z.string(),
  tier: z.string(),
  upstreams: z.tuple([UpstreamSchema], UpstreamSchema),
  quota: z.object({ onLimit: z.enum(["wait", "failover", "fail"]), holdMs: whole, mostMs: whole }).optional(),
  budgets: BudgetsSchema,
  project: z.string().optional(),
  hold: whole.optional(),
  maxOutputTokens: z.number().int().positive(),
  credentials: z.enum(["metered", "pass-through"]).optional(),
  epoch: z.number().int().optional(),
  until: z.number().optional(),
  mcp: z.literal(true).optional(),
});

/** A key is a long secret: one that could be guessed is none. */
const OpenRequest = z.object({ key: z.string().regex(/^sf-[\w-]{32,}$/), client: z.string(), spec: KeySpecSchema });

const Hello = z.object({ client: z.string(), pid: z.number().int(), startTime: z.string() });

export interface AdminContext {
  adminToken: string;
  keys: Keys;
  /** Those that were open at the gateway before. */
  awaited: AwaitedKeys;
  calls: { readonly usages: UsageByKey };
  budgets: BudgetBook;
  holds: Holds;
  /** Of agents, to their runs. */
  requests: PendingRequests;
  clock: { now(): number };
  health: Pick<Health, "states">;
  engines: Engines;
  mask: Mask;
  inFlight(): number;
  /** Everything in the spool is on disk when it resolves. */
  sync(): Promise<void>;
  url(): string;
  shutdown(reason: string): void;
  /** To the holder. */
  tell(message: FromWorker): void;
}

/** What an engine is told of a key it opened. */
export interface OpenedAnswer {
  url: string;
  model: string;
  usage: KeyUsage;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

const isAdmin = (req: IncomingMessage, token: string): boolean =>
  timingSafeEqual(digest(req.headers.authorization ?? ""), digest(`Bearer ${token}`));

/** What engines may do, and agents may not. */
export async function admin(req: IncomingMessage, res: ServerResponse, path: string, ctx: AdminContext): Promise<void> {
  if (!isAdmin(req, ctx.adminToken)) return sendError(res, 401, apiError("authentication_error", "This needs the gateway's admin token."));
  const body = await readBody(req, 1 << 20);
  if (!body.ok) return sendError(res, 413, apiError("invalid_request_error", "The request is too large."));
  let json: unknown;
  try {
    json = body.bytes.length === 0 ? {} : JSON.parse(body.bytes.toString("utf8"));
    switch (`${req.method} ${path}`) {
      case "POST /admin/hello": {
        const { client, pid, startTime } = Hello.parse(json);
        ctx.engines.hello(client, { pid, startTime });
        ctx.tell({ type: "hello", engine: { client, pid, startTime } });
        return sendJson(res, 200, { protocol: gatewayProtocol, pid: process.pid });
      }
      case "POST /admin/goodbye": {
        const { client } = z.object({ client: z.string() }).parse(json);
        ctx.engines.goodbye(client);
        ctx.tell({ type: "goodbye", client });
        return sendJson(res, 200, {});
      }
      // Its end is how an engine sees at once that this process is gone.
      case "GET /admin/watch":
        res.writeHead(200, { "content-type": "text/plain" }).flushHeaders();
        return undefined;
      case "POST /admin/keys": {
        const { key, client, spec } = OpenRequest.parse(json);
        const answer = openKey(key, client, spec, ctx);
        ctx.tell({ type: "opened", opened: { key, client, spec } });
        return sendJson(res, 200, answer);
      }
      case "POST /admin/holds":
        return await ctx.holds.ask(json, res);
      case "POST /admin/holds/release":
        ctx.holds.release(z.object({ attempt: z.string() }).parse(json).attempt);
        return sendJson(res, 200, {});
      case "POST /admin/requests/next":
        return await nextRequests(json, res, ctx.requests);
      case "POST /admin/requests/reply":
        return replyToRequest(json, res, ctx.requests);
      case "POST /admin/attempts/end":
        await endAttempt(z.object({ attempt: z.string(), client: z.string() }).parse(json), ctx);
        return sendJson(res, 200, {});
      case "POST /admin/keys/close":
        return sendJson(res, 200, await closeKey(z.object({ key: z.string(), client: z.string() }).parse(json), ctx));
      case "GET /admin/status":
        return sendJson(res, 200, {
          protocol: gatewayProtocol,
          engines: ctx.engines.size,
          keys: ctx.keys.size,
          inFlight: ctx.inFlight(),
          providers: ctx.health.states(),
        });
      case "POST /admin/shutdown":
        sendJson(res, 200, {});
        return ctx.shutdown("an engine asked for it");
      default:
        return sendError(res, 404, apiError("invalid_request_error", `There is no ${req.method} ${path}.`));
    }
  } catch (error) {
    if (!(error instanceof z.ZodError) && !(error instanceof SyntaxError)) throw error;
    // Never the value: it may hold an upstream's key.
    const where = error instanceof z.ZodError ? error.issues.map((i) => `${i.path.join(".")}: ${i.code}`).join("; ") : "not JSON";
    return sendError(res, 400, apiError("invalid_request_error", `The request is not understood (${where}).`));
  }
}

/** Opens a key, or takes over one that is open; either way with all it has used so far, at earlier gateways, too. */
export function openKey(key: string, client: string, spec: KeySpec, ctx: AdminContext): OpenedAnswer {
  const before = ctx.keys.find(key);
  ctx.mask.add(secretsOf(spec));
  if (before) ctx.mask.remove(secretsOf(before.spec));
  for (const budget of spec.budgets) ctx.budgets.open(budget);
  if (spec.hold !== undefined) {
    ctx.budgets.hold(holdingOf({ ...spec, amount: spec.hold }, ctx.clock.now()), "force");
    ctx.holds.taken(spec.attempt);
  }
  const state = ctx.keys.add(key, client, spec);
  ctx.requests.wake();
  ctx.awaited.came(key);
  return { url: `${ctx.url()}/v1`, model: state.upstream.model, usage: state.usage };
}

async function closeKey({ key, client }: { key: string; client: string }, ctx: AdminContext): Promise<KeyUsage> {
  const state = ctx.keys.find(key);
  ctx.engines.forgetDead();
  // Another engine has taken the agent over: this one has no more say in it.
  if (state && state.client !== client && ctx.engines.has(state.client)) return state.usage;
  ctx.awaited.came(key);
  if (state) await endKey(state, "the attempt has ended", ctx);
  else ctx.tell({ type: "closed", key });
  return ctx.calls.usages.of(keyIdOf(key));
}

async function endAttempt({ attempt, client }: { attempt: string; client: string }, ctx: AdminContext): Promise<void> {
  ctx.engines.forgetDead();
  for (const state of ctx.keys.all())
    if (state.spec.attempt === attempt && (state.client === client || !ctx.engines.has(state.client)))
      await endKey(state, "its engine is gone", ctx);
  ctx.holds.release(attempt);
}

/** Cancels what is in flight for a key and forgets it; what it has used stays known. */
export async function endKey(state: KeyState, reason: string, ctx: AdminContext): Promise<void> {
  ctx.keys.remove(state);
  if (state.spec.hold !== undefined) ctx.budgets.letGo(state.spec.attempt);
  ctx.tell({ type: "closed", key: state.key });
  await cancelAll(state, reason);
  await ctx.sync();
  ctx.mask.remove(secretsOf(state.spec));
}

/** Aborts what is under way for a key and waits until it is settled. */
export async function cancelAll(state: KeyState, reason: string): Promise<void> {
  const flights = [...state.inFlight];
  for (const flight of flights) flight.abort(reason);
  await Promise.all(flights.map((flight) => flight.settled));
}
