import { useMemo, useState } from "react";
import { can, useActions, useMe, type RunReport } from "../data/index.ts";
import {
  Ago,
  Button,
  CommandLine,
  Dialog,
  durationText,
  inputClass,
  Money,
  nameOf,
  ProblemNote,
  StatusMark,
  statusOf,
  Tag,
  type Status,
} from "../ui/index.ts";
import type { Frame } from "./frame.ts";
import { activity, barsOf, runTimes } from "./model/activity.ts";
import type { ShownStatus } from "./model/status.ts";
import { asUsage, costOf } from "./model/step-view.ts";
import { useKeyed } from "./use-keyed.ts";
import { useAct } from "./use-act.ts";

/** What its events do not tell of it. */
type RunFacts = Pick<RunReport, "status" | "cleaned" | "scriptedProviders">;

/** The run at a glance: how it stands, how long it ran and how long people were waited for, what it has used; and what can be done. */
export function RunHeader({ frame, report, isLive }: { frame: Frame; report: RunFacts | undefined; isLive: boolean }) {
  const { state, facts, now, version, views, isNow } = frame;
  // Of a run that goes on they change with the clock, not with each event.
  const times = useKeyed(() => runTimes(activity(state, barsOf(state, facts, now), now)), state, isNow ? Math.floor(now / 1000) : version);
  // Groups have what is below them in their own.
  const cost = useMemo(() => costOf([...views.values()].map((v) => (v.parent === undefined ? asUsage(v.cost) : undefined))), [views]);
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
        <Figure name="Cost" title="Of the attempts that are over, by what each of them said.">
          {cost ? (
            <>
              {cost.provenance === "reported" ? "" : "~"}
              <Money microUsd={cost.microUsd} scripted={isNow && (report?.scriptedProviders.length ?? 0) > 0} />
            </>
          ) : (
            "nothing yet"
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
        <RunActions frame={frame} status={report?.status} cleaned={report?.cleaned === true} />
      ) : (
        <span className="ml-auto text-xs text-muted">Actions are for the run as it is now.</span>
      )}
      {isNow && report?.status === "stopped" ? (
        <p className="w-full text-warn">Nobody drives it: what is shown, and every duration, is as of its last event.</p>
      ) : undefined}
      {state.because && state.status === "finished" ? <p className="w-full break-words text-muted">{state.because}</p> : undefined}
      {state.cancel && state.status === "running" ? (
        <p className="w-full text-warn">It was asked to end{state.cancel.reason ? `: ${state.cancel.reason}` : ""}.</p>
      ) : undefined}
      {state.mergedInto ? (
        <p className="w-full text-muted">
          Its result was merged into {state.mergedInto.into} ({state.mergedInto.commit.slice(0, 8)}).
        </p>
      ) : undefined}
    </header>
  );
}

function Figure({ name, title, children }: { name: string; title?: string; children: React.ReactNode }) {
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

function RunActions({ frame, status, cleaned }: { frame: Frame; status: string | undefined; cleaned: boolean }) {
  const me = useMe().data;
  const actions = useActions();
  const act = useAct();
  const [open, setOpen] = useState<"cancel" | "resume" | "merge" | undefined>();
  const mayAct = can(me?.role, "operate");
  const isRunning = frame.state.status === "running";
  const close = (): void => {
    setOpen(undefined);
    act.forget();
  };
  return (
    <span className="ml-auto flex items-center gap-2">
      <a
        className="text-xs text-accent hover:underline"
        href={`/api/v1/runs/${encodeURIComponent(frame.runId)}/report.md`}
        target="_blank"
        rel="noreferrer"
      >
        Report
      </a>
      {cleaned ? <Tag title="stepfall clean removed its transcripts and workspaces">cleaned</Tag> : undefined}
      {mayAct && isRunning && status !== undefined && status !== "running" ? (
        <Button small onClick={() => setOpen("resume")}>
          Resume
        </Button>
      ) : undefined}
      {mayAct && isRunning ? (
        <Button small look="danger" disabled={frame.state.cancel !== undefined} onClick={() => setOpen("cancel")}>
          {frame.state.cancel ? "Cancelling …" : "Cancel"}
        </Button>
      ) : undefined}
      {frame.state.outcome === "succeeded" && !frame.state.mergedInto ? (
        <Button small onClick={() => setOpen("merge")}>
          Take the result
        </Button>
      ) : undefined}
      {open === "cancel" ? (
        <WithReason
          title="Cancel the run"
          text="It ends for good. What was merged into its branch stays."
          label="Why (may be left empty; kept in the journal)"
          button="Cancel the run"
          act={act}
          onClose={close}
          onSend={(reason) => act.run(async () => actions.cancel(frame.runId, reason === "" ? undefined : reason).then(close))}
        />
      ) : undefined}
      {open === "resume" ? (
        <WithReason
          title="Resume the run"
          text="A process of its own drives it again."
          label="A new limit for the whole run, USD (may be left empty)"
          button="Resume"
          act={act}
          onClose={close}
          isAllowed={(text) => text === "" || Number(text) > 0}
          onSend={(text) => act.run(async () => actions.resume(frame.runId, text === "" ? {} : { budget: Number(text) }).then(close))}
        />
      ) : undefined}
      {open === "merge" ? (
        <Dialog title="Take the result" onClose={close}>
          <p className="mb-2">
            Its work is on the branch {frame.state.branch}. Merging changes your own checkout, so it is done in a terminal, in{" "}
            {frame.state.project}:
          </p>
          <CommandLine command={`stepfall merge ${frame.runId}`} />
        </Dialog>
      ) : undefined}
    </span>
  );
}

function WithReason({
  title,
  text,
  label,
  button,
  act,
  isAllowed = () => true,
  onClose,
  onSend,
}: {
  title: string;
  text: string;
  label: string;
  button: string;
  act: ReturnType<typeof useAct>;
  isAllowed?(text: string): boolean;
  onClose(): void;
  onSend(text: string): void;
}) {
  const [said, setSaid] = useState("");
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          onSend(said.trim());
        }}
      >
        <p>{text}</p>
        <label className="flex flex-col gap-1 text-muted">
          {label}
          <input className={inputClass} value={said} onChange={(event) => setSaid(event.target.value)} />
        </label>
        {act.problem ? <ProblemNote problem={act.problem} /> : undefined}
        <span className="flex gap-2">
          <Button type="submit" look="primary" disabled={act.isBusy || !isAllowed(said.trim())}>
            {act.isBusy ? "Recording …" : button}
          </Button>
          <Button onClick={onClose}>Back</Button>
        </span>
      </form>
    </Dialog>
  );
}
