import { Link } from "@tanstack/react-router";
import { useDiff, useRun, type InboxEntry, type RunReport, type StepReport } from "../data/index.ts";
import { Loading, Money, plural, ProblemNote, StatusMark, statusOf } from "../ui/index.ts";

/** What somebody should have seen who answers: what was done, how it was judged, what it cost. */
export function Evidence({ entry }: { entry: InboxEntry }) {
  const run = useRun(entry.runId);
  if (run.error && !run.data) return <ProblemNote problem={run.error} retry={() => void run.refetch()} />;
  if (!run.data) return <Loading what="Loading what it is about" />;
  if (entry.kind === "budget") return <BudgetFacts run={run.data} item={entry.item} />;
  const asked = run.data.steps.find(({ id }) => id === entry.step);
  if (entry.attempt !== undefined && asked) return <Judged runId={entry.runId} steps={[asked]} />;
  return (
    <>
      <Judged runId={entry.runId} steps={neededBy(run.data, asked)} />
      {entry.kind === "approval" ? <Changed runId={entry.runId} /> : undefined}
    </>
  );
}

/** Steps whose results are judged by the answer: its needs, of a group what is in it. */
function neededBy(run: RunReport, asked: StepReport | undefined): StepReport[] {
  const needs = new Set(asked?.needs);
  return run.steps.filter((step) => needs.has(step.id) || (step.parent !== undefined && needs.has(step.parent)));
}

function Judged({ runId, steps }: { runId: string; steps: readonly StepReport[] }) {
  const tried = steps.filter((step) => step.attempts.length > 0);
  if (tried.length === 0) return undefined;
  return (
    <ul aria-label="What it is about" className="flex flex-col gap-1">
      {tried.map((step) => {
        const last = step.attempts.at(-1);
        return (
          <li key={step.id} className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <StatusMark status={statusOf(step.status)} />
            <Link to="/runs/$runId" params={{ runId }} search={{ step: step.id, tab: "diff" }} className="text-accent underline">
              {step.id}: see its diff
            </Link>
            <span className="text-muted">
              {last?.agent === undefined ? "" : `${last.agent}, `}
              {plural(step.attempts.length, "attempt")}
            </span>
            <span className="flex flex-wrap gap-x-2">
              {last?.gates.map((gate) => (
                <StatusMark key={gate.name} status={statusOf(gate.verdict)} label word={`${gate.name} ${gate.verdict}`} size={12} />
              ))}
            </span>
            {last?.usage ? <Money microUsd={last.usage.microUsd} /> : undefined}
            {last?.summary ? <p className="w-full text-muted break-words">{last.summary}</p> : undefined}
          </li>
        );
      })}
    </ul>
  );
}

const MOST_FILES = 8;

/** Which files the run has changed so far. */
function Changed({ runId }: { runId: string }) {
  const diff = useDiff(runId);
  if (!diff.data || diff.data.files.length === 0) return undefined;
  const { files } = diff.data;
  return (
    <div>
      <p className="text-muted">The run has changed {plural(files.length, "file")} so far:</p>
      <ul className="font-mono text-xs">
        {files.slice(0, MOST_FILES).map((file) => (
          <li key={file.path} className="flex gap-2">
            <span className="min-w-0 truncate">{file.path}</span>
            <span className="text-good">+{file.added}</span>
            <span className="text-bad">-{file.removed}</span>
          </li>
        ))}
      </ul>
      {files.length > MOST_FILES ? <p className="text-muted">and {files.length - MOST_FILES} more</p> : undefined}
    </div>
  );
}

function BudgetFacts({ run, item }: { run: RunReport; item: string }) {
  const pause = run.paused.find((p) => p.item === item);
  if (!pause) return undefined;
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
      <dt className="text-muted">limit of the {pause.scope}</dt>
      <dd>
        <Money microUsd={pause.limit} />
      </dd>
      <dt className="text-muted">spent</dt>
      <dd>
        <Money microUsd={pause.spent} />
      </dd>
      {pause.needed === undefined ? undefined : (
        <>
          <dt className="text-muted">the refused call may cost</dt>
          <dd>
            up to <Money microUsd={pause.needed} />
          </dd>
        </>
      )}
    </dl>
  );
}
