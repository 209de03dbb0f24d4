import { useMemo, type ReactNode } from "react";
import type { RunStatus } from "../data/index.ts";
import { Ago, CommandLine, durationText, Money, nameOf, StatusMark, statusOf, Tag, type Status } from "../ui/index.ts";
import { RunActions } from "./actions/run-actions.tsx";
import type { Frame } from "./frame.ts";
import { activity, barsOf, runTimes } from "./model/activity.ts";
import type { ShownStatus } from "./model/status.ts";
import { costNow, type ShownCost } from "./model/spent.ts";
import { asUsage, costOf } from "./model/step-view.ts";
import { useKeyed } from "./use-keyed.ts";

/** The run at a glance: how it stands, how long it ran and how long people were waited for, what it has used; and what can be done. */
export function RunHeader({
  frame,
  report,
  isLive,
  isResult,
  onResult,
}: {
  frame: Frame;
  report: RunStatus | undefined;
  isLive: boolean;
  /** The change of the whole run is shown. */
  isResult: boolean;
  onResult(isShown: boolean): void;
}) {
  const { state, facts, now, version, views, isNow } = frame;
  // Of a run that goes on they change with the clock, not with each event.
  const times = useKeyed(() => runTimes(activity(state, barsOf(state, facts, now), now)), state, isNow ? Math.floor(now / 1000) : version);
  // Groups have what is below them in their own.
  const over = useMemo(() => costOf([...views.values()].map((v) => (v.parent === undefined ? asUsage(v.cost) : undefined))), [views]);
  const cost = costNow(over, report?.bill, isNow);
  const merged = facts.merged(version);
  const counts = countsOf(views);
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-1">
      <h1 className="flex min-w-0 items-center gap-2 text-lg font-semibold">
        <RunMark frame={frame} now={isNow ? report?.status : undefined} />
        <span className="truncate">{state.pipeline.name}</span>
      </h1>
      <span className="font-mono text-xs text-muted" title={`${frame.runId}, project ${state.project}`}>
        {nameOf(state.project)} · {frame.runId.slice(-8)}
      </span>
      <dl className="flex flex-wrap gap-x-4 text-sm">
        <Figure name="Steps">
          {counts.completed} of {counts.total}
          {counts.failed > 0 ? <span className="text-bad">, {counts.failed} failed</span> : ""}
        </Figure>
        <Figure name="Ran" title="Without the time in which only people were waited for, and the time in which nothing went on.">
          {durationText(times.runMs)}
        </Figure>
        {times.peopleMs > 0 ? (
          <Figure name="Waited for people" title="Time in which nothing else could go on.">
            {durationText(times.peopleMs)}
          </Figure>
        ) : undefined}
        {times.idleMs >= 1000 ? (
          <Figure name="Idle" title="Nobody drove it, or it waited for a quota or before a further try.">
            {durationText(times.idleMs)}
          </Figure>
        ) : undefined}
        <Figure
          name={cost?.from === "attempts" && (report || !isNow) ? "Cost of what is over" : "Cost"}
          {...(cost ? { title: costTitles[cost.from] } : {})}
        >
          {cost ? (
            <>
              {cost.provenance === "reported" ? "" : "~"}
              <Money microUsd={cost.microUsd} scripted={isNow && (report?.scriptedProviders.length ?? 0) > 0} />
            </>
          ) : state.status === "running" ? (
            "nothing yet"
          ) : (
            "none"
          )}
          {state.budget === undefined ? undefined : (
            <span className="text-muted">
              {" "}
              of <Money microUsd={state.budget} />
            </span>
          )}
        </Figure>
        <Figure name="Started">
          <Ago at={state.startedAt} />
        </Figure>
      </dl>
      {isNow && !isLive ? <Tag tone="warn">not live</Tag> : undefined}
      {isNow ? (
        <RunActions frame={frame} report={report} isResult={isResult} onResult={onResult} />
      ) : (
        <span className="ml-auto text-xs text-muted">Actions are for the run as it is now.</span>
      )}
      {isNow && report?.status === "stopped" ? (
        <p className="flex w-full flex-wrap items-center gap-2 text-warn">
          Nobody drives it: what is shown, and every duration, is as of its last event. To go on, resume it:
          <CommandLine command={`stepfall resume ${frame.runId}`} />
        </p>
      ) : undefined}
      {state.because && state.status === "finished" ? <p className="w-full break-words text-muted">{state.because}</p> : undefined}
      {state.cancel && state.status === "running" ? (
        <p className="w-full text-warn">It was asked to end{state.cancel.reason ? `: ${state.cancel.reason}` : ""}.</p>
      ) : undefined}
      {merged ? (
        <p className="w-full text-muted">
          Its result was merged into <strong>{merged.into}</strong> <span className="font-mono">({merged.commit.slice(0, 8)})</span> by{" "}
          {merged.by.replace(/^(web|cli|mcp):/, "")} <Ago at={merged.at} />.
        </p>
      ) : undefined}
    </header>
  );
}

const costTitles: Readonly<Record<ShownCost["from"], string>> = {
  ledger: "All calls that the ledger has, also those of attempts that run and of judges; read every few seconds.",
  attempts: "Of the attempts that were over, by what each of them said. What running ones have used is not in it.",
};

function Figure({ name, title, children }: { name: string; title?: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline gap-1" title={title}>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="whitespace-nowrap">{children}</dd>
    </div>
  );
}

/** `now`: what the server says; it knows whether anybody drives it, and is asked less often than events come. */
function RunMark({ frame, now }: { frame: Frame; now: string | undefined }) {
  const { state, views } = frame;
  const isWaiting = state.status === "running" && now !== "stopped" && now !== "budget" && waitsForPeople(views);
  const status: Status = statusOf(state.outcome ?? (isWaiting ? "waiting" : now === "waiting" ? "running" : (now ?? "running")), "run");
  return <StatusMark status={status} label size={16} />;
}

const underWay: ReadonlySet<ShownStatus> = new Set(["running", "merging", "queued", "ready", "quota"]);

/** People are asked, and nothing else goes on. Groups go on with what is in them. */
function waitsForPeople(views: Frame["views"]): boolean {
  let isAsked = false;
  for (const { status, fan } of views.values()) {
    if (status === "people") isAsked = true;
    else if (fan === undefined && underWay.has(status)) return false;
  }
  return isAsked;
}

function countsOf(views: Frame["views"]): { total: number; completed: number; failed: number } {
  let completed = 0;
  let failed = 0;
  for (const { status } of views.values()) {
    if (status === "completed") completed += 1;
    if (status === "failed") failed += 1;
  }
  return { total: views.size, completed, failed };
}
