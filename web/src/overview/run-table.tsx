import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem, useActions, type InboxEntry, type Problem, type RunSummary } from "../data/index.ts";
import {
  Ago,
  Button,
  Dialog,
  Duration,
  inputClass,
  Money,
  nameOf,
  ProblemNote,
  Progress,
  StatusMark,
  statusOf,
  statusWord,
  Tag,
} from "../ui/index.ts";

const cell = "px-3 py-2 align-middle";
const wide = "hidden md:table-cell";

/** Runs, one a line; on a phone the lesser columns go below the name. */
export function RunTable({
  runs,
  inbox,
  mayOperate,
  showProject,
}: {
  runs: readonly RunSummary[];
  inbox: readonly InboxEntry[];
  mayOperate: boolean;
  showProject: boolean;
}) {
  const waiting = Map.groupBy(inbox, (entry) => entry.runId);
  return (
    <table className="w-full table-fixed text-left">
      <thead className="text-xs text-muted">
        <tr>
          <th scope="col" className={`${cell} font-medium`}>
            Run
          </th>
          {showProject ? (
            <th scope="col" className={`${cell} ${wide} w-32 font-medium`}>
              Project
            </th>
          ) : undefined}
          <th scope="col" className={`${cell} ${wide} w-36 font-medium`}>
            Steps
          </th>
          <th scope="col" className={`${cell} w-28 text-right font-medium md:w-40`}>
            Cost
          </th>
          <th scope="col" className={`${cell} ${wide} w-28 text-right font-medium`}>
            Time
          </th>
          <th scope="col" className={`${cell} ${wide} w-28 text-right font-medium`}>
            Begun
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Row key={run.runId} run={run} waiting={waiting.get(run.runId) ?? []} mayOperate={mayOperate} showProject={showProject} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  run: RunSummary;
  waiting: readonly InboxEntry[];
  mayOperate: boolean;
  showProject: boolean;
}

function Row({ run, waiting, mayOperate, showProject }: RowProps) {
  const status = statusOf(run.status, "run");
  return (
    <tr className="border-t border-line hover:bg-raised/60">
      <td className={cell}>
        <div className="flex min-w-0 items-center gap-2">
          <StatusMark status={status} />
          <Link
            to="/runs/$runId"
            params={{ runId: run.runId }}
            data-run-link
            className="truncate font-medium hover:underline"
            title={`${run.pipeline}, run ${run.runId}`}
          >
            {run.pipeline}
          </Link>
          <span className="hidden font-mono text-xs text-muted sm:inline">{run.runId.slice(-6)}</span>
        </div>
        <div className="mt-0.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted">
          <span>{statusWord(status)}</span>
          <Doing run={run} waiting={waiting} />
          <Actions run={run} mayOperate={mayOperate} />
        </div>
        <div className="mt-1 flex flex-wrap items-center gap-x-3 text-xs text-muted md:hidden">
          <Progress done={run.stepsDone} total={run.stepsTotal} label={stepsText(run)} />
          <Duration from={run.startedAt} until={run.endedAt} />
          {showProject ? <span>{nameOf(run.project)}</span> : undefined}
        </div>
      </td>
      {showProject ? (
        <td className={`${cell} ${wide} truncate text-muted`} title={run.project}>
          {nameOf(run.project)}
        </td>
      ) : undefined}
      <td className={`${cell} ${wide}`}>
        <Progress done={run.stepsDone} total={run.stepsTotal} label={stepsText(run)} />
      </td>
      <td className={`${cell} text-right`}>
        <Money microUsd={run.microUsd} scripted={run.scripted} />
      </td>
      <td className={`${cell} ${wide} text-right`}>
        <Duration from={run.startedAt} until={run.endedAt} />
      </td>
      <td className={`${cell} ${wide} text-right text-muted`}>
        <Ago at={run.startedAt} />
      </td>
    </tr>
  );
}

const stepsText = ({ stepsDone, stepsTotal }: RunSummary): string => `${stepsDone} of ${stepsTotal} steps completed`;

/** What it is busy with, and, apart from that, since when it waits for people. */
function Doing({ run, waiting }: { run: RunSummary; waiting: readonly InboxEntry[] }) {
  const oldest = waiting.length === 0 ? undefined : Math.min(...waiting.map((entry) => entry.openedAt));
  const troubled = (run.live ?? []).filter(({ state }) => state === "stuck" || state === "dead" || state === "unknown");
  return (
    <>
      {run.queue && run.queue.running > 0 ? <span>{run.queue.running} at work</span> : undefined}
      {run.queue && run.queue.queued > 0 ? <span>{run.queue.queued} queued</span> : undefined}
      {run.quota ? (
        <Tag tone="warn" title={`The provider ${run.quota.provider} has a limit that is met`}>
          goes on <Ago at={run.quota.until} />
        </Tag>
      ) : undefined}
      {troubled.map((attempt) => (
        <Tag key={attempt.attempt} tone="warn" title={attempt.evidence.join("; ")}>
          {attempt.step}: {attempt.state}
        </Tag>
      ))}
      {oldest === undefined ? undefined : (
        <Link to="/inbox" className="text-wait underline">
          {waiting.length === 1 ? "1 waits for you" : `${waiting.length} wait for you`}, for <Duration from={oldest} />
        </Link>
      )}
    </>
  );
}

function Actions({ run, mayOperate }: { run: RunSummary; mayOperate: boolean }) {
  const act = useActions();
  const [isCancelling, setCancelling] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  if (!mayOperate) return undefined;
  const attempt = (what: Promise<unknown>): void => {
    setBusy(true);
    setProblem(undefined);
    void what
      .then(
        () => setCancelling(false),
        (error: unknown) => setProblem(asProblem(error)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <>
      {run.status === "stopped" ? (
        <Button small disabled={isBusy} onClick={() => attempt(act.resume(run.runId))} aria-label={`Resume ${run.pipeline}`}>
          Resume
        </Button>
      ) : undefined}
      <Button small look="quiet" className="-mx-2" onClick={() => setCancelling(true)} aria-label={`Cancel ${run.pipeline}`}>
        Cancel…
      </Button>
      {problem && !isCancelling ? <ProblemNote problem={problem} /> : undefined}
      {isCancelling ? (
        <CancelDialog
          run={run}
          isBusy={isBusy}
          problem={problem}
          onClose={() => setCancelling(false)}
          onCancel={(reason) => attempt(act.cancel(run.runId, reason === "" ? undefined : reason))}
        />
      ) : undefined}
    </>
  );
}

function CancelDialog({
  run,
  isBusy,
  problem,
  onClose,
  onCancel,
}: {
  run: RunSummary;
  isBusy: boolean;
  problem: Problem | undefined;
  onClose: () => void;
  onCancel: (reason: string) => void;
}) {
  const [reason, setReason] = useState("");
  return (
    <Dialog title={`Cancel ${run.pipeline}?`} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          onCancel(reason.trim());
        }}
      >
        <p>It ends for good: attempts that run are stopped. What was merged into its branch stays.</p>
        <label className="flex flex-col gap-1 text-muted">
          Why? It is kept in the journal. (may be left empty)
          <input data-first className={inputClass} value={reason} onChange={(event) => setReason(event.target.value)} />
        </label>
        {problem ? <ProblemNote problem={problem} /> : undefined}
        <div className="flex gap-2">
          <Button type="submit" look="danger" disabled={isBusy}>
            {isBusy ? "Asking its process to stop …" : "Cancel the run"}
          </Button>
          <Button onClick={onClose}>Keep it</Button>
        </div>
      </form>
    </Dialog>
  );
}
