import { isTyped } from "../setup/failure.ts";

/** RFC 9457, with what all of Stepfall's errors carry. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  hint: string;
  problems?: readonly unknown[];
}

export const PROBLEM_TYPE = "application/problem+json";

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not logged in",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  410: "Gone",
  413: "Too large",
  415: "Not JSON",
  421: "Wrong host",
  422: "Refused",
  429: "Too many requests",
  500: "Internal error",
  501: "Not supported yet",
  503: "Not now",
};

/** Codes that are no 422, which is: what was asked for was refused, and what to mend is told. */
const statuses: Readonly<Record<string, number>> = {
  USAGE: 400,
  RUN_AMBIGUOUS: 400,
  ROLE_TOO_LOW: 403,
  RUN_UNKNOWN: 404,
  STEP_UNKNOWN: 404,
  ATTEMPT_UNKNOWN: 404,
  ITEM_UNKNOWN: 404,
  PROJECT_UNKNOWN: 404,
  PHASE_UNKNOWN: 404,
  NO_PROMPT: 404,
  DIFF_GONE: 410,
  BRANCH_GONE: 410,
  RUN_OVER: 409,
  RUN_UNFINISHED: 409,
  RUN_UNREPEATABLE: 409,
  NOTHING_TO_MERGE: 409,
  MERGE_DIRTY: 409,
  MERGE_DETACHED: 409,
  MERGE_CONFLICT: 409,
  RUN_DRIVEN: 409,
  ITEM_CLOSED: 409,
  ANSWER_REFUSED: 409,
  MESSAGE_REFUSED: 409,
  STEP_NOT_ROUTABLE: 409,
  NOT_SUPPORTED_YET: 501,
  STORE_BUSY: 503,
  STORE_FULL: 503,
  STORE_CLOSED: 503,
  STORE_NEWER: 500,
  STORE_CORRUPT: 500,
  STORE_FAILED: 500,
  GIT_FAILED: 500,
  WORKSPACE_IO: 500,
  START_SLOW: 503,
  LAUNCH_FAILED: 503,
};

export const problem = (status: number, code: string, detail: string, hint: string, problems?: readonly unknown[]): ProblemDetails => ({
  type: `urn:stepfall:problem:${code.toLowerCase().replaceAll("_", "-")}`,
  title: titles[status] ?? "Error",
  status,
  detail,
  code,
  hint,
  ...(problems ? { problems } : {}),
});

/** What a client is told of an error. Never a stack; what is no error of ours to tell is INTERNAL, and only its kind is told. */
export function problemOf(error: unknown): ProblemDetails {
  if (!isTyped(error)) return problem(500, "INTERNAL", "This is a bug in Stepfall.", "Its detail is in errors.log in Stepfall's folder.");
  const { code, message, hint } = error;
  const problems = (error as { problems?: unknown }).problems;
  return problem(statuses[code] ?? 422, code, message, hint, Array.isArray(problems) ? (problems as unknown[]) : undefined);
}

/** Bytes of a request: a pipeline's text is the largest thing that is sent. */
export const MOST_BYTES = 1 << 20;

export const tooLarge = (): ProblemDetails =>
  problem(413, "TOO_LARGE", `More than ${MOST_BYTES >> 20} MB is taken by no route.`, "Put it into a file of the project.");
