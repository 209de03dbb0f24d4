import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { apiError, readBody, sendError, sendJson } from "./answers.ts";
import type { BudgetBook } from "./budgets.ts";
import type { KeySpec, KeyUsage, OpenKey } from "./contract.ts";
import type { Engines } from "./engines.ts";
import { usageFromSpool } from "./key-usage.ts";
import { keyIdOf, secretsOf, type Keys, type KeyState } from "./keys.ts";
import type { Mask } from "./mask.ts";
import { gatewayProtocol } from "./record.ts";

const whole = z.number().int().nonnegative();
const Rates = z.object({
  input: whole,
  cachedInput: whole,
  cacheWrite: whole.optional(),
  cacheWriteLong: whole.optional(),
  output: whole,
});
const BaseUrl = z.url({ protocol: /^https?$/ });

const KeySpecSchema = z.object({
  runId: z.string(),
  attempt: z.string(),
  agent: z.string(),
  tier: z.string(),
  upstreams: z.tuple(
    [
      z.object({
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
      }),
    ],
    z.unknown(),
  ),
  budgets: z.array(z.object({ id: z.string(), limit: whole, spent: whole })),
  maxOutputTokens: z.number().int().positive(),
  credentials: z.enum(["metered", "pass-through"]).optional(),
});

const Hello = z.object({ client: z.string(), pid: z.number().int(), startTime: z.string() });

export interface AdminContext {
  adminToken: string;
  keys: Keys;
  budgets: BudgetBook;
  engines: Engines;
  mask: Mask;
  spool: string;
  inFlight(): number;
  /** Everything in the spool is on disk when it resolves. */
  sync(): Promise<void>;
  url(): string;
  shutdown(reason: string): void;
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
        return sendJson(res, 200, { protocol: gatewayProtocol, pid: process.pid });
      }
      case "POST /admin/goodbye":
        ctx.engines.goodbye(z.object({ client: z.string() }).parse(json).client);
        return sendJson(res, 200, {});
      case "POST /admin/keys":
        return sendJson(res, 200, openKey(KeySpecSchema.parse(json) as KeySpec, ctx));
      case "POST /admin/keys/close":
        return sendJson(res, 200, await closeKey(z.object({ key: z.string() }).parse(json).key, ctx));
      case "GET /admin/status":
        return sendJson(res, 200, { protocol: gatewayProtocol, engines: ctx.engines.size, keys: ctx.keys.size, inFlight: ctx.inFlight() });
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

function openKey(spec: KeySpec, ctx: AdminContext): OpenKey {
  ctx.mask.add(secretsOf(spec));
  for (const budget of spec.budgets) ctx.budgets.open(budget);
  const { key, state } = ctx.keys.add(spec);
  return { key, url: `${ctx.url()}/v1`, model: state.upstream.model };
}

async function closeKey(key: string, ctx: AdminContext): Promise<KeyUsage> {
  const state = ctx.keys.find(key);
  if (!state) return usageFromSpool(ctx.spool, keyIdOf(key));
  ctx.keys.remove(state);
  await cancelAll(state, "the attempt has ended");
  await ctx.sync();
  ctx.mask.remove(secretsOf(state.spec));
  return state.usage;
}

/** Aborts what is under way for a key and waits until it is settled. */
export async function cancelAll(state: KeyState, reason: string): Promise<void> {
  const flights = [...state.inFlight];
  for (const flight of flights) flight.abort(reason);
  await Promise.all(flights.map((flight) => flight.settled));
}
