import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem, useActions, type Problem, type RunSummary } from "../data/index.ts";
import { Button, Dialog, inputClass, ProblemNote } from "../ui/index.ts";
import { isOver, shortId } from "./run-words.ts";

/** What can be done with one run where it stands: stopped, resume it; failed, start it again; not over, cancel it. */
export function RunActions({ run }: { run: RunSummary }) {
  const act = useActions();
  const [isCancelling, setCancelling] = useState(false);
  const [startedAs, setStartedAs] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
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
          {isBusy ? "Resuming …" : "Resume"}
        </Button>
      ) : undefined}
      {run.status === "failed" && startedAs === undefined ? (
        <Button
          small
          look="quiet"
          disabled={isBusy}
          onClick={() => attempt(act.again(run.runId).then(({ runId }) => setStartedAs(runId)))}
          aria-label={`${isBusy ? "Starting …" : "Start again"}: ${run.pipeline} ${shortId(run)}`}
          title="A new run of the same pipeline with the same inputs, from the project's commit now"
        >
          {isBusy ? "Starting …" : "Start again"}
        </Button>
      ) : undefined}
      {startedAs === undefined ? undefined : (
        <span role="status">
          started again as{" "}
          <Link to="/runs/$runId" params={{ runId: startedAs }} className="font-mono text-accent underline">
            {startedAs.slice(-6)}
          </Link>
        </span>
      )}
      {isOver(run) ? undefined : (
        <Button small look="quiet" onClick={() => setCancelling(true)} aria-label={`Cancel ${run.pipeline}`}>
          Cancel…
        </Button>
      )}
      {problem && !isCancelling ? (
        <span className="w-full">
          <ProblemNote problem={problem} />
        </span>
      ) : undefined}
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
