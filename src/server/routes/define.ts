import type { ServerResponse } from "node:http";
import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Control } from "../../control/index.ts";
import type { Clock } from "../../domain/index.ts";
import { may, type Caller, type Role } from "../callers.ts";
import { problem, PROBLEM_TYPE, type ProblemDetails } from "../problem.ts";
import { refusedFor } from "../request-log.ts";
import { Problem } from "../schemas/common.ts";

export interface ApiEnv {
  Bindings: { caller: Caller };
}

export type Api = OpenAPIHono<ApiEnv>;

/** What the routes answer from. */
export interface Served {
  control: Control;
  version: string;
  /** How a person calls Stepfall here. */
  program: string;
  clock: Clock;
  /** A fresh one-time link, of the caller's role or the lower one asked for. `to`: a path of the dashboard. */
  loginLink(caller: Caller, role: Role | undefined, to: string | undefined): { url: string; role: Role; expiresAt: number };
}

/** A route of the API: what it takes, what it answers, and who may ask. Every one may answer a problem. */
export interface RouteFacts<P, Q, B> {
  method: "get" | "post";
  path: string;
  role: Role;
  summary: string;
  params?: P;
  query?: Q;
  body?: B;
  /** Default 200. */
  status?: 200 | 202;
  answers: z.ZodType;
  /** Something else than JSON: then `answer` gives the text. */
  media?: string;
}

/** What was asked for, without what was left out. */
export interface Asked<P, Q, B> {
  params: Given<z.output<P>>;
  query: Given<z.output<Q>>;
  body: Given<z.output<B>>;
  caller: Caller;
}

export type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

const nothing = z.object({});
type Nothing = typeof nothing;

const who: Readonly<Record<Role, string>> = {
  viewer: "everybody who is logged in",
  operator: "operators and approvers",
  approver: "approvers",
};

export function serve<P extends z.ZodObject = Nothing, Q extends z.ZodObject = Nothing, B extends z.ZodObject = Nothing>(
  api: Api,
  facts: RouteFacts<P, Q, B>,
  answer: (asked: Asked<P, Q, B>) => unknown,
): void {
  const { method, path, role, summary, params, query, body, status = 200, answers, media = "application/json" } = facts;
  const route = createRoute({
    method,
    path,
    summary,
    description: `For ${who[role]}.`,
    "x-role": role,
    security: [{ token: [] }, { cookie: [] }],
    request: {
      ...(params ? { params } : {}),
      ...(query ? { query } : {}),
      ...(body ? { body: { required: true, content: { "application/json": { schema: body } } } } : {}),
    },
    responses: {
      [status]: { description: "Done", content: { [media]: { schema: answers } } },
      default: { description: "What went wrong, and what to do", content: { [PROBLEM_TYPE]: { schema: Problem } } },
    },
    middleware: async (c: Context<ApiEnv>, next: () => Promise<void>) => {
      if (!may(c.env.caller, role)) return answerProblem(c, notAllowed(c.env.caller.role, role));
      await next();
      return undefined;
    },
  });
  api.openapi(route, async (c) => {
    const valid = (target: "param" | "query" | "json", schema: unknown): object =>
      schema === undefined ? {} : without(c.req.valid(target as never));
    const asked = { params: valid("param", params), query: valid("query", query), body: valid("json", body), caller: c.env.caller };
    const data = await answer(asked as Asked<P, Q, B>);
    return media === "application/json"
      ? c.json(data as object, status)
      : c.body(String(data), status, { "content-type": `${media}; charset=utf-8` });
  });
}

const without = (asked: object): object => Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));

const notAllowed = (is: Role, needed: Role): ProblemDetails =>
  problem(403, "ROLE_TOO_LOW", `This is for ${who[needed]}; you are ${is}.`, "Ask for a link of another role: `stepfall up --role`.");

export function answerProblem(c: Context, details: ProblemDetails): Response {
  const { outgoing } = c.env as { outgoing?: ServerResponse };
  if (outgoing) refusedFor(outgoing, details.code);
  return c.body(JSON.stringify(details), details.status as 400, { "content-type": PROBLEM_TYPE });
}
