export interface FoundProblem {
  code: string;
  message: string;
  hint?: string;
  file?: string;
  line?: number;
}

/** Why a request did not do what it was for, in words for a person. What `problem+json` says, or what kept it from being said. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  /** Of a pipeline or settings that are wrong in several places: each. */
  readonly problems: readonly FoundProblem[];

  constructor(said: { status: number; code: string; message: string; hint: string; problems?: readonly FoundProblem[] }, cause?: unknown) {
    super(said.message, { cause });
    this.name = "Problem";
    this.status = said.status;
    this.code = said.code;
    this.hint = said.hint;
    this.problems = said.problems ?? [];
  }
}

/** The server is not there, or the network is not: nothing came back. */
export const unreachable = (cause: unknown): Problem =>
  new Problem(
    {
      status: 0,
      code: "UNREACHABLE",
      message: "The Stepfall server does not answer.",
      hint: "Start it again with: stepfall up. Runs go on without it.",
    },
    cause,
  );

/** What an answer that is no success says. `body`: parsed, if it was JSON. */
export function problemOf(status: number, body: unknown): Problem {
  const said = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (...names: string[]): string | undefined =>
    names.map((name) => said[name]).find((v) => typeof v === "string" && v !== "") as string | undefined;
  if (status === 401)
    return new Problem({
      status,
      code: text("code") ?? "NOT_LOGGED_IN",
      message: text("detail", "message") ?? "This browser is not logged in.",
      hint: text("hint") ?? "Run stepfall up and open the link it prints.",
    });
  return new Problem({
    status,
    code: text("code") ?? `HTTP_${status}`,
    message: text("detail", "message", "title") ?? `The server answered ${status}.`,
    hint: text("hint") ?? (status >= 500 ? "The server's own log tells more; try again." : ""),
    ...(Array.isArray(said["problems"]) ? { problems: said["problems"] as FoundProblem[] } : {}),
  });
}

export const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : unreachable(error));
