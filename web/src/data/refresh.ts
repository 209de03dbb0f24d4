import { QueryClient } from "@tanstack/react-query";
import type { Problem } from "./api/problem.ts";
import type { InboxEntry } from "./api/shapes.ts";
import type { Touch } from "./stream/messages.ts";

/** What was read, for as long as it is looked at. The stream says what of it has changed. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 120_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && (error as Problem).status === 0,
    },
  },
});

/** What is read again, and at most how often, however much happens: a busy run must not keep the server busy with telling of it. */
const everyMs = {
  me: 750,
  overview: 750,
  runs: 5_000,
  inbox: 750,
  agents: 2_000,
  run: 2_500,
  diff: 2_500,
  cost: 5_000,
  gates: 5_000,
} as const;
type Kind = keyof typeof everyMs;

const stale = new Map<Kind, Set<string>>();

/** Something happened: what shows it is read again, soon, and only where it is looked at. */
export function refreshAfter(touches: readonly Touch[]): void {
  for (const { runId, type } of touches) {
    if (runId === "") continue;
    mark("overview");
    mark("agents");
    mark("run", runId);
    // It may be of a project that was not known.
    if (type === "RunStarted") mark("me");
    if (type === "RunFinished") mark("runs");
    if (/^(Inbox|Budget)/.test(type) || hasItemOf(runId)) mark("inbox");
    if (type === "ResultMerged" || /^Attempt(Accepted|Rejected)$/.test(type)) mark("diff", runId);
    if (/^Attempt(Accepted|Rejected|Failed)$|^FeedbackGiven$/.test(type)) {
      mark("cost");
      mark("gates");
    }
  }
}

/** Whatever happens to a run may close what it has in the inbox. */
const hasItemOf = (runId: string): boolean =>
  queryClient.getQueryData<readonly InboxEntry[]>(["inbox"])?.some((entry) => entry.runId === runId) ?? false;

function mark(kind: Kind, of = ""): void {
  const marked = stale.get(kind);
  if (marked) {
    marked.add(of);
    return;
  }
  stale.set(kind, new Set([of]));
  setTimeout(() => {
    const keys = stale.get(kind) ?? [];
    stale.delete(kind);
    for (const key of keys) void queryClient.invalidateQueries({ queryKey: key === "" ? [kind] : [kind, key] });
  }, everyMs[kind]);
}

/** Nobody knows what was missed. What takes long to answer is asked for by hand. */
export const refreshAll = (): void => void queryClient.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "doctor" });
