import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { RunSummary } from "../data/index.ts";
import { Button, Dialog, inputClass, Kbd, nameOf, plural, StatusMark } from "../ui/index.ts";
import { doToAll, forgetBulk, useBulk, type Bulk, type BulkAction, type Told } from "./bulk.ts";
import { isOver, shortId } from "./run-words.ts";

/** What can be done with the runs that are chosen, and what became of each that something was done with. */
export function BulkBar({ runs, onClear }: { runs: readonly RunSummary[]; onClear: () => void }) {
  const bulk = useBulk();
  const [asked, setAsked] = useState<BulkAction>();
  const isBusy = bulk !== undefined && bulk.told.length < bulk.total;
  const fit = {
    cancel: runs.filter((run) => !isOver(run)),
    again: runs.filter(({ status }) => status === "failed" || status === "cancelled"),
  };
  const go = (action: BulkAction, reason: string): void => {
    setAsked(undefined);
    onClear();
    void doToAll(action, fit[action], reason === "" ? undefined : reason);
  };
  return (
    <>
      {runs.length > 0 ? (
        <section
          aria-label="Chosen runs"
          className="sticky top-0 z-10 flex flex-wrap items-center gap-2 rounded-lg border border-accent bg-accent-soft px-3 py-2"
        >
          <span role="status" className="mr-auto font-medium">
            {plural(runs.length, "run")} chosen
          </span>
          {fit.cancel.length > 0 ? (
            <Button look="danger" disabled={isBusy} onClick={() => setAsked("cancel")}>
              Cancel {fit.cancel.length}…
            </Button>
          ) : undefined}
          {fit.again.length > 0 ? (
            <Button disabled={isBusy} onClick={() => setAsked("again")}>
              Start {fit.again.length} again…
            </Button>
          ) : undefined}
          {fit.cancel.length + fit.again.length === 0 ? (
            <span className="text-muted">They succeeded: there is nothing to cancel, or to start again.</span>
          ) : undefined}
          <Button look="quiet" onClick={onClear}>
            Choose none <Kbd>Esc</Kbd>
          </Button>
        </section>
      ) : undefined}
      {bulk ? <Results bulk={bulk} /> : undefined}
      {asked ? (
        <Confirm action={asked} runs={fit[asked]} onClose={() => setAsked(undefined)} onGo={(reason) => go(asked, reason)} />
      ) : undefined}
    </>
  );
}

const MOST_NAMES = 8;

function Confirm({
  action,
  runs,
  onClose,
  onGo,
}: {
  action: BulkAction;
  runs: readonly RunSummary[];
  onClose: () => void;
  onGo: (reason: string) => void;
}) {
  const [reason, setReason] = useState("");
  const isCancel = action === "cancel";
  const these = plural(runs.length, "run");
  return (
    <Dialog title={isCancel ? `Cancel ${these}?` : `Start ${these} again?`} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          onGo(reason.trim());
        }}
      >
        <p>
          {isCancel
            ? "They end for good: attempts that run are stopped. What was merged into their branches stays."
            : "Each becomes a new run of the same pipeline with the same inputs, from its project's commit now. It costs what it costs; the run that is over stays as it is."}
        </p>
        <ul className="list-disc pl-5">
          {runs.slice(0, MOST_NAMES).map((run) => (
            <li key={run.runId} className="break-words">
              {run.pipeline} <span className="font-mono text-xs text-muted">{shortId(run)}</span>{" "}
              <span className="text-muted">in {nameOf(run.project)}</span>
            </li>
          ))}
          {runs.length > MOST_NAMES ? <li>and {runs.length - MOST_NAMES} more</li> : undefined}
        </ul>
        {isCancel ? (
          <label className="flex flex-col gap-1 text-muted">
            Why? It is kept in the journal of each. (may be left empty)
            <input data-first className={inputClass} value={reason} onChange={(event) => setReason(event.target.value)} />
          </label>
        ) : undefined}
        <div className="flex gap-2">
          <Button type="submit" look={isCancel ? "danger" : "primary"}>
            {isCancel ? `Cancel ${these}` : `Start ${these} again`}
          </Button>
          <Button onClick={onClose}>{isCancel ? "Keep them" : "Not now"}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function Results({ bulk: { action, total, told } }: { bulk: Bulk }) {
  const isBusy = told.length < total;
  const refused = told.filter(({ kind }) => kind === "refused").length;
  const verb = action === "cancel" ? "cancel" : "start again";
  return (
    <section aria-label="What became of them" className="rounded-lg border border-line bg-surface px-3 py-2">
      <header className="flex flex-wrap items-center gap-2">
        <p role="status" className="mr-auto font-medium">
          {isBusy ? `Asked to ${verb} ${plural(total, "run")}: ${told.length} answered so far …` : sumOf(told)}
          {refused > 0 ? (
            <span className="text-bad"> {refused === total ? "None of it was done." : `${refused} of ${total} not done.`}</span>
          ) : undefined}
        </p>
        {isBusy ? undefined : (
          <Button small look="quiet" onClick={forgetBulk}>
            Put away
          </Button>
        )}
      </header>
      <ul className="mt-1 flex max-h-60 flex-col gap-1 overflow-y-auto" tabIndex={0} aria-label="Each run">
        {told.map((one) => (
          <li key={one.run.runId} className="flex flex-wrap items-baseline gap-x-2">
            <StatusMark
              status={one.kind === "refused" ? "failed" : one.kind === "asked" ? "ready" : "succeeded"}
              word={one.kind}
              size={12}
            />
            <Link to="/runs/$runId" params={{ runId: one.run.runId }} className="break-words text-accent underline">
              {one.run.pipeline}
            </Link>
            <span className="font-mono text-xs text-muted">{shortId(one.run)}</span>
            <What told={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const words: Readonly<Record<Exclude<Told["kind"], "refused">, string>> = {
  cancelled: "cancelled",
  over: "over before",
  asked: "asked to stop, not ended yet",
  started: "started again",
};

function sumOf(told: readonly Told[]): string {
  const counts = Map.groupBy(told, ({ kind }) => kind);
  const parts = Object.entries(words).flatMap(([kind, word]) => {
    const n = counts.get(kind as Told["kind"])?.length ?? 0;
    return n === 0 ? [] : [`${n} ${word}`];
  });
  return parts.length === 0 ? "" : `${parts.join(", ")}.`;
}

function What({ told }: { told: Told }) {
  switch (told.kind) {
    case "cancelled":
    case "asked":
      return <span>{words[told.kind]}</span>;
    case "over":
      return <span>was over before that: {told.outcome}</span>;
    case "started":
      return (
        <span>
          started again as{" "}
          <Link to="/runs/$runId" params={{ runId: told.as }} className="font-mono text-xs text-accent underline">
            {told.as.slice(-6)}
          </Link>
        </span>
      );
    case "refused":
      return (
        <span className="text-bad">
          {told.problem.message}{" "}
          {told.problem.status === 0 ? "Whether it was done is to be seen below once the server is back." : told.problem.hint}
        </span>
      );
    default:
      return told satisfies never;
  }
}
