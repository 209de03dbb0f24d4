import type { Recorded } from "../../../src/domain/index.ts";
import { useInfiniteQuery, useQuery, type InfiniteData, type UseQueryResult } from "@tanstack/react-query";
import { api, answerTo } from "./api/client.ts";
import type { Problem } from "./api/problem.ts";
import type {
  Agents,
  Cost,
  CostDimension,
  DiffPage,
  Doctor,
  Gates,
  InboxEntry,
  LogPage,
  Me,
  Overview,
  PromptPage,
  RunReport,
  RunSummary,
  Settings,
} from "./api/shapes.ts";

const isOver = ({ status }: Pick<RunReport, "status">): boolean => status === "succeeded" || status === "failed" || status === "cancelled";

type Read<T> = UseQueryResult<T, Problem>;

export const useMe = (): Read<Me> =>
  useQuery<Me, Problem>({
    queryKey: ["me"],
    queryFn: ({ signal }) => answerTo(api.GET("/me", { signal })),
    staleTime: Infinity,
    gcTime: Infinity,
  });

export const useOverview = (): Read<Overview> =>
  useQuery<Overview, Problem>({
    queryKey: ["overview"],
    queryFn: ({ signal }) => answerTo(api.GET("/overview", { signal })),
    // Time goes on without an event: days begin, waits grow.
    refetchInterval: 60_000,
  });

const OLDER = 100;

/** Runs that are older than one, so many at a time; none before they are asked for. */
export const useOlderRuns = (before: string | undefined, isOn: boolean, project?: string) =>
  useInfiniteQuery<readonly RunSummary[], Problem, InfiniteData<readonly RunSummary[], string>, readonly unknown[], string>({
    queryKey: ["runs", before, project],
    queryFn: async ({ signal, pageParam }) =>
      (await answerTo(api.GET("/runs", { params: { query: { ...given({ project }), limit: OLDER, before: pageParam } }, signal }))).runs,
    initialPageParam: before ?? "",
    getNextPageParam: (page) => (page.length < OLDER ? undefined : page.at(-1)?.runId),
    enabled: isOn && before !== undefined,
    // They are over long ago, or told by the overview.
    staleTime: Infinity,
  });

export const useRun = (runId: string): Read<RunReport> =>
  useQuery<RunReport, Problem>({
    queryKey: ["run", runId],
    queryFn: ({ signal }) => answerTo(api.GET("/runs/{runId}", { params: { path: { runId } }, signal })),
  });

/** What of a run its events do not tell. */
export type RunStatus = Pick<RunReport, "status" | "cleaned" | "scriptedProviders" | "bill" | "base" | "tip" | "checkedOut" | "diff">;

/** How long the last one took, by run. */
const reportTookMs = new Map<string, number>();

/**
 * Not read again at each event, as a whole report would be: only every few seconds, and less often where it takes the server long, as of a run of
 * a thousand steps or in a very large repository.
 */
export const useRunStatus = (runId: string): Read<RunStatus> =>
  useQuery<RunReport, Problem, RunStatus>({
    queryKey: ["run-status", runId],
    queryFn: async ({ signal }) => {
      const from = performance.now();
      const report = await answerTo(api.GET("/runs/{runId}", { params: { path: { runId } }, signal }));
      reportTookMs.set(runId, performance.now() - from);
      return report;
    },
    select: (report): RunStatus => report,
    structuralSharing: false,
    refetchInterval: ({ state: { data } }) =>
      data !== undefined && isOver(data) ? false : Math.max(5_000, 50 * (reportTookMs.get(runId) ?? 0)),
  });

export const useDiff = (runId: string, of: { attempt?: string; step?: string } = {}, isOn = true): Read<DiffPage> =>
  useQuery<DiffPage, Problem>({
    queryKey: ["diff", runId, of],
    queryFn: ({ signal }) => answerTo(api.GET("/runs/{runId}/diff", { params: { path: { runId }, query: of }, signal })),
    enabled: isOn,
  });

/** What the agent of an attempt was told. It does not change. */
export const usePrompt = (runId: string, attempt: string, isOn = true): Read<PromptPage> =>
  useQuery<PromptPage, Problem>({
    queryKey: ["prompt", runId, attempt],
    queryFn: ({ signal }) =>
      answerTo(api.GET("/runs/{runId}/attempts/prompt", { params: { path: { runId }, query: { attempt } }, signal })),
    enabled: isOn,
    staleTime: Infinity,
  });

export const useInbox = (): Read<readonly InboxEntry[]> =>
  useQuery<readonly InboxEntry[], Problem>({
    queryKey: ["inbox"],
    queryFn: async ({ signal }) => (await answerTo(api.GET("/inbox", { signal }))).items,
  });

export const useAgents = (project?: string): Read<Agents> =>
  useQuery<Agents, Problem>({
    queryKey: ["agents", project],
    queryFn: ({ signal }) => answerTo(api.GET("/agents", { params: { query: given({ project }) }, signal })),
    // Liveness and leases change without an event.
    refetchInterval: 3_000,
    placeholderData: (before) => before,
  });

export interface Part {
  project?: string | undefined;
  /** Epoch ms. */
  since?: number | undefined;
}

const partOf = ({ project, since }: Part) => given({ project, since: since === undefined ? undefined : String(since) });

export const useCost = (by: CostDimension, part: Part): Read<Cost> =>
  useQuery<Cost, Problem>({
    queryKey: ["cost", by, part],
    queryFn: ({ signal }) => answerTo(api.GET("/cost", { params: { query: { by, ...partOf(part) } }, signal })),
    // Choosing another part changes figures, and not the whole page.
    placeholderData: (before) => before,
  });

export const useGates = (part: Part): Read<Gates> =>
  useQuery<Gates, Problem>({
    queryKey: ["gates", part],
    queryFn: ({ signal }) => answerTo(api.GET("/gates", { params: { query: partOf(part) }, signal })),
    placeholderData: (before) => before,
  });

export const useSettings = (project?: string): Read<Settings> =>
  useQuery<Settings, Problem>({
    queryKey: ["settings", project],
    queryFn: ({ signal }) => answerTo(api.GET("/settings", { params: { query: given({ project }) }, signal })),
  });

export const useDoctor = (isOn: boolean, project?: string): Read<Doctor> =>
  useQuery<Doctor, Problem>({
    queryKey: ["doctor", project],
    queryFn: ({ signal }) => answerTo(api.GET("/doctor", { params: { query: given({ project }) }, signal })),
    enabled: isOn,
    staleTime: Infinity,
  });

/** Events in the journal's order; the schema of each is the domain's. */
export async function fetchEvents(runId: string, page: { after: number; limit: number }): Promise<readonly Recorded[]> {
  const { events } = await answerTo(api.GET("/runs/{runId}/events", { params: { path: { runId }, query: page } }));
  return events as unknown as readonly Recorded[];
}

export interface LogFilter {
  step?: string;
  attempt?: string;
  role?: string;
  /** `next` of the page before. */
  after?: string;
  limit?: number;
}

export const fetchLogs = (runId: string, filter: LogFilter = {}, signal?: AbortSignal): Promise<LogPage> =>
  answerTo(api.GET("/runs/{runId}/logs", { params: { path: { runId }, query: filter }, ...given({ signal }) }));

/** Without what is not given: such a parameter is left out. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
