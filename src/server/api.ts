import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { API_PATH } from "./paths.ts";
import { answerProblem, type Api, type ApiEnv, type Served } from "./routes/define.ts";
import { serveInbox } from "./routes/inbox.ts";
import { serveMachine } from "./routes/machine.ts";
import { serveReports, serveRuns, serveSteering } from "./routes/runs.ts";
import { describeOthers } from "./routes/others.ts";
import { MOST_BYTES, problem, problemOf, tooLarge, type ProblemDetails } from "./problem.ts";

/** The API below `API_PATH`. Who calls was found out before. `onError`: errors that are bugs, for a log. */
export function openApi(served: Served, onError: (error: unknown) => void): Api {
  const api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const problems = result.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
      const first = problems[0];
      const detail = first ? `${first.path === "" ? "the request" : first.path}: ${first.message}` : "the request is not as it must be";
      return answerProblem(c, problem(400, "BAD_REQUEST", detail, "GET /api/v1/openapi.json says what can be asked.", problems));
    },
  });
  describe(api, served);
  // Made once: it takes a tenth of a second.
  let document: object | undefined;
  api.get("/openapi.json", (c) => c.json((document ??= documentOf(api))));
  const failed = (error: Error, c: Context): Response => {
    const details = problemIn(error);
    if (details.code === "INTERNAL") onError(error);
    return answerProblem(c, details);
  };
  api.onError(failed);
  const mounted = new OpenAPIHono<ApiEnv>();
  mounted.onError(failed);
  // Also of requests that do not say how long they are.
  mounted.use(`${API_PATH}/*`, bodyLimit({ maxSize: MOST_BYTES, onError: (c) => answerProblem(c, tooLarge()) }));
  mounted.route(API_PATH, api);
  mounted.notFound((c) =>
    answerProblem(
      c,
      problem(
        404,
        "NOT_FOUND",
        `There is no ${c.req.method} ${new URL(c.req.url).pathname}.`,
        "GET /api/v1/openapi.json lists what there is.",
      ),
    ),
  );
  return mounted;
}

function problemIn(error: Error): ProblemDetails {
  const hint = "GET /api/v1/openapi.json says what can be asked.";
  // Hono's own refusals, such as a body that is no JSON.
  if (error instanceof HTTPException) return problem(error.status, "BAD_REQUEST", `${error.message}.`, hint);
  // A client that went away before it had sent all: there is nobody to tell, and nothing is wrong here.
  if ((error as NodeJS.ErrnoException).code === "ECONNRESET") return problem(400, "BAD_REQUEST", "The request ended too early.", hint);
  return problemOf(error);
}

function describe(api: Api, served: Served): void {
  serveRuns(api, served);
  serveReports(api, served);
  serveSteering(api, served);
  serveInbox(api, served);
  serveMachine(api, served);
  describeOthers(api);
}

/** What the API is, for programs: committed as schema/openapi.json. */
export function apiDocument(): object {
  // Its routes are described, and none is asked.
  const api = new OpenAPIHono<ApiEnv>();
  describe(api, {} as Served);
  return documentOf(api);
}

function documentOf(api: Api): object {
  return api.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Stepfall",
      version: "1",
      description:
        "Looking at runs and steering them, on this machine. Money is in millionths of a US dollar, times are epoch milliseconds. Errors are problem+json with `code` and `hint`.",
    },
    servers: [{ url: API_PATH }],
  });
}
