import { answerTo, api } from "./api/client.ts";
import type { DoTasks, Role, StartRun, Verdict } from "./api/shapes.ts";
import { queryClient } from "./refresh.ts";

const at = (runId: string) => ({ path: { runId } });

/** What a person does. Each resolves when the server has recorded it, and rejects with a Problem that says why it has not. */
export const actions = {
  start: (body: StartRun) => done(answerTo(api.POST("/runs", { body })), "overview"),
  doTasks: (body: DoTasks) => done(answerTo(api.POST("/tasks", { body })), "overview"),
  sample: () => done(answerTo(api.POST("/samples", { body: {} })), "overview"),
  cancel: (runId: string, reason?: string) =>
    done(
      answerTo(api.POST("/runs/{runId}/cancel", { params: at(runId), body: reason === undefined ? {} : { reason } })),
      "overview",
      "runs",
      "inbox",
      "run-status",
    ),
  resume: (runId: string, body: { budget?: number } = {}) =>
    done(answerTo(api.POST("/runs/{runId}/resume", { params: at(runId), body })), "overview", "inbox", "run-status"),
  /** The same pipeline with the same inputs, from the project's commit now. */
  again: (runId: string) => done(answerTo(api.POST("/runs/{runId}/again", { params: at(runId), body: {} })), "overview", "runs"),
  /** Into what is checked out in the user's project. */
  merge: (runId: string, body: { partial?: boolean } = {}) =>
    done(answerTo(api.POST("/runs/{runId}/merge", { params: at(runId), body })), "overview", "runs", "run", "run-status"),
  feedback: (runId: string, body: { step: string; attempt?: number; verdict: "right" | "wrong"; because?: string }) =>
    done(answerTo(api.POST("/runs/{runId}/feedback", { params: at(runId), body })), "gates", "cost"),
  reassign: (runId: string, body: { step: string; agent?: string; because?: string }) =>
    done(answerTo(api.POST("/runs/{runId}/reassign", { params: at(runId), body }))),
  message: (runId: string, body: { step: string; text: string }) =>
    done(answerTo(api.POST("/runs/{runId}/messages", { params: at(runId), body }))),
  answer: (body: { item: string; verdict: Verdict; text?: string }) =>
    done(answerTo(api.POST("/inbox/answer", { body })), "inbox", "overview"),
} as const;

async function done<T>(recorded: Promise<T>, ...changed: readonly string[]): Promise<T> {
  const answer = await recorded;
  for (const key of changed) void queryClient.invalidateQueries({ queryKey: [key] });
  return answer;
}

export type Actions = typeof actions;
export const useActions = (): Actions => actions;

/** What each role may do. */
export function can(role: Role | undefined, what: "operate" | "answer"): boolean {
  switch (role) {
    case "approver":
      return true;
    case "operator":
      return what === "operate";
    case "viewer":
    case undefined:
      return false;
    default:
      return role satisfies never;
  }
}
