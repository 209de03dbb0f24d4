import { z } from "@hono/zod-openapi";
import { fewAtATime } from "../few-at-a-time.ts";
import { Count, ShownStatus } from "../schemas/common.ts";
import { Cancel, DoTasks, Feedback, Merge, Nothing, Reassign, Resume, SendMessage, StartRun } from "../schemas/requests.ts";
import {
  Cancelled,
  DiffPage,
  Done,
  Events,
  FeedbackTaken,
  LogPage,
  Merged,
  MessageTaken,
  Overview,
  PromptPage,
  RunReport,
  Runs,
  Started,
} from "../schemas/runs.ts";
import { serve, type Api, type Served } from "./define.ts";

const params = z.object({
  runId: z.string().min(4).max(64).openapi({ description: "The run's id, or the beginning or end of one that only one run has" }),
});
const MOST_DIFF = 8 << 20;
/** Runs that begin at a time. */
const MOST_BEGINNING = 8;

const RunsQuery = z.object({
  project: z.string().optional(),
  status: ShownStatus.optional(),
  limit: Count(500).optional(),
  before: z.string().optional(),
});
const EventsQuery = z.object({ after: Count(Number.MAX_SAFE_INTEGER).optional(), limit: Count(5000).optional() });
const LogsQuery = z.object({
  step: z.string().optional(),
  attempt: z.string().optional(),
  role: z.string().optional(),
  after: z.string().optional(),
  limit: Count(10_000).optional(),
});
const DiffQuery = z.object({
  attempt: z.string().optional(),
  step: z.string().optional(),
  file: z.string().optional().openapi({ description: "The text of this file's change alone" }),
  maxBytes: Count(MOST_DIFF).optional(),
});

/** Looking at runs. */
export function serveRuns(api: Api, { control }: Served): void {
  serve(api, { method: "get", path: "/overview", role: "viewer", summary: "Everything at a glance", answers: Overview }, () =>
    control.overview(),
  );
  serve(
    api,
    { method: "get", path: "/runs", role: "viewer", summary: "Runs, newest first", query: RunsQuery, answers: Runs },
    async ({ query }) => ({ runs: await control.runs(query) }),
  );
  serve(
    api,
    { method: "get", path: "/runs/{runId}", role: "viewer", summary: "All that is known of a run", params, answers: RunReport },
    ({ params: { runId } }) => control.run(runId),
  );
  serve(
    api,
    {
      method: "get",
      path: "/runs/{runId}/events",
      role: "viewer",
      summary: "Its journal, after a version",
      params,
      query: EventsQuery,
      answers: Events,
    },
    async ({ params: { runId }, query }) => {
      const events = await control.events(runId, query);
      return { events, last: events.at(-1)?.version ?? query.after ?? 0 };
    },
  );
  serve(
    api,
    {
      method: "get",
      path: "/runs/{runId}/logs",
      role: "viewer",
      summary: "What its agents, setup commands and gates printed, after a cursor",
      params,
      query: LogsQuery,
      answers: LogPage,
    },
    ({ params: { runId }, query }) => control.logs(runId, query),
  );
  serve(
    api,
    {
      method: "get",
      path: "/runs/{runId}/diff",
      role: "viewer",
      summary: "What an attempt, a step or the run changed",
      params,
      query: DiffQuery,
      answers: DiffPage,
    },
    ({ params: { runId }, query }) => control.diff(runId, query),
  );
  serve(
    api,
    {
      method: "get",
      path: "/runs/{runId}/attempts/prompt",
      role: "viewer",
      summary: "What the agent of an attempt was really told, at most 1 MB of it",
      params,
      query: z.object({ attempt: z.string().min(1).max(1_000) }),
      answers: PromptPage,
    },
    ({ params: { runId }, query: { attempt } }) => control.prompt(runId, attempt),
  );
}

/** For people, and for what comes after a run. */
export function serveReports(api: Api, { control }: Served): void {
  serve(
    api,
    {
      method: "get",
      path: "/runs/{runId}/report.md",
      role: "viewer",
      summary: "The run, or a phase of it, in Markdown",
      params,
      query: z.object({ phase: z.string().optional() }),
      answers: z.string(),
      media: "text/markdown",
    },
    ({ params: { runId }, query }) => control.report(runId, query.phase),
  );
}

/** Starting and steering them. */
export function serveSteering(api: Api, { control }: Served): void {
  const role = "operator";
  const turn = fewAtATime(MOST_BEGINNING);
  serve(
    api,
    { method: "post", path: "/runs", role, summary: "Start a run", body: StartRun, status: 202, answers: Started },
    ({ body, caller }) => turn(() => control.start(caller.actor, body)),
  );
  serve(
    api,
    { method: "post", path: "/tasks", role, summary: "Have tasks done", body: DoTasks, status: 202, answers: Started },
    ({ body, caller }) => {
      const [first = "", ...more] = body.tasks;
      return turn(() => control.doTasks(caller.actor, { ...body, tasks: [first, ...more] }));
    },
  );
  serve(
    api,
    {
      method: "post",
      path: "/samples",
      role,
      summary: "Run a sample: a small project in a temporary folder, a scripted model, and one approval in the middle; no key, no money",
      body: Nothing,
      status: 202,
      answers: Started,
    },
    ({ caller }) => turn(() => control.sample(caller.actor)),
  );
  serve(
    api,
    { method: "post", path: "/runs/{runId}/cancel", role, summary: "End it for good", params, body: Cancel, answers: Cancelled },
    ({ params: { runId }, body, caller }) => control.cancel(caller.actor, runId, body.reason),
  );
  serve(
    api,
    { method: "post", path: "/runs/{runId}/resume", role, summary: "Go on with it", params, body: Resume, status: 202, answers: Done },
    ({ params: { runId }, body, caller }) => control.resume(caller.actor, runId, body),
  );
  serve(
    api,
    {
      method: "post",
      path: "/runs/{runId}/feedback",
      role,
      summary: "Say what a result turned out to be worth",
      params,
      body: Feedback,
      answers: FeedbackTaken,
    },
    ({ params: { runId }, body, caller }) => control.feedback(caller.actor, runId, body),
  );
  serve(
    api,
    {
      method: "post",
      path: "/runs/{runId}/reassign",
      role,
      summary: "Give a step to another agent",
      params,
      body: Reassign,
      answers: Done,
    },
    async ({ params: { runId }, body, caller }) => {
      await control.reassign(caller.actor, runId, body);
      return { runId };
    },
  );
  serve(
    api,
    {
      method: "post",
      path: "/runs/{runId}/messages",
      role,
      summary: "Say something to the agent that works on a step",
      params,
      body: SendMessage,
      answers: MessageTaken,
    },
    ({ params: { runId }, body, caller }) => control.message(caller.actor, runId, body),
  );
  serve(
    api,
    {
      method: "post",
      path: "/runs/{runId}/again",
      role,
      summary: "Start a new run of the same pipeline with the same inputs, from the project's commit now",
      params,
      body: Nothing,
      status: 202,
      answers: Started,
    },
    ({ params: { runId }, caller }) => turn(() => control.again(caller.actor, runId)),
  );
  serve(
    api,
    {
      method: "post",
      path: "/runs/{runId}/merge",
      role: "approver",
      summary: "Bring its result into what is checked out in its project, with the project's own hooks",
      params,
      body: Merge,
      answers: Merged,
    },
    ({ params: { runId }, body, caller }) => control.merge(caller.actor, runId, body),
  );
}
