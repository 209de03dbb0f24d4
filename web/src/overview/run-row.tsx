import { Link } from "@tanstack/react-router";
import { useNow, type InboxEntry, type RunSummary } from "../data/index.ts";
import { Ago, Duration, Money, Progress, StatusMark, statusOf, statusWord, Tag, Took } from "../ui/index.ts";
import { RunActions } from "./run-actions.tsx";
import { isWaiting, shortId, waitedForPeople } from "./run-words.ts";

export const cell = "px-3 py-2 align-middle";
export const wide = "hidden md:table-cell";

interface RowProps {
  run: RunSummary;
  waiting: readonly InboxEntry[];
  /** When the server told of it. */
  readAt: number;
  mayOperate: boolean;
  /** Absent where all are of one. */
  projectName: string | undefined;
  isChosen: boolean;
  onChoose: (isRange: boolean) => void;
}

export function RunRow({ run, waiting, readAt, mayOperate, projectName, isChosen, onChoose }: RowProps) {
  const status = statusOf(run.status, "run");
  return (
    <tr data-run={run.runId} className={`border-t border-line ${isChosen ? "bg-accent-soft" : "hover:bg-raised/60"}`}>
      {mayOperate ? (
        <td className="w-10 py-2 pl-2 align-middle">
          <label className="flex size-8 items-center justify-center">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={isChosen}
              aria-label={`Choose ${run.pipeline} ${shortId(run)}`}
              onChange={(event) => onChoose((event.nativeEvent as MouseEvent).shiftKey)}
            />
          </label>
        </td>
      ) : undefined}
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
          <span className="hidden font-mono text-xs text-muted sm:inline">{shortId(run)}</span>
        </div>
        <div className="mt-0.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted">
          <span>{statusWord(status)}</span>
          <Doing run={run} waiting={waiting} />
          {mayOperate ? <RunActions run={run} /> : undefined}
        </div>
        <div className="mt-1 flex flex-wrap items-center gap-x-3 text-xs text-muted md:hidden">
          <Progress done={run.stepsDone} total={run.stepsTotal} label={stepsText(run)} />
          <Duration from={run.startedAt} until={run.endedAt} />
          <ForPeople run={run} readAt={readAt} />
          <Ago at={run.startedAt} />
          {projectName === undefined ? undefined : <span>{projectName}</span>}
        </div>
      </td>
      {projectName === undefined ? undefined : (
        <td className={`${cell} ${wide} truncate text-muted`} title={run.project}>
          {projectName}
        </td>
      )}
      <td className={`${cell} ${wide}`}>
        <Progress done={run.stepsDone} total={run.stepsTotal} label={stepsText(run)} />
      </td>
      <td className={`${cell} text-right`}>
        <Money microUsd={run.microUsd} scripted={run.scripted} />
      </td>
      <td className={`${cell} ${wide} text-right`}>
        <Duration from={run.startedAt} until={run.endedAt} />
        <div className="text-xs">
          <ForPeople run={run} readAt={readAt} />
        </div>
      </td>
      <td className={`${cell} ${wide} text-right text-muted`}>
        <Ago at={run.startedAt} />
      </td>
    </tr>
  );
}

const stepsText = ({ stepsDone, stepsTotal }: RunSummary): string => `${stepsDone} of ${stepsTotal} steps completed`;

/** Less is nothing that anybody would remember. */
const WORTH_TELLING_MS = 1_000;

/** How much of its time it only waited for people: that is no time of the machine's. */
function ForPeople({ run, readAt }: { run: RunSummary; readAt: number }) {
  return isWaiting(run) ? <Waiting run={run} readAt={readAt} /> : <PeopleMs ms={run.waitedForPeopleMs} />;
}

function Waiting({ run, readAt }: { run: RunSummary; readAt: number }) {
  return <PeopleMs ms={waitedForPeople(run, readAt, useNow())} />;
}

function PeopleMs({ ms }: { ms: number }) {
  if (ms < WORTH_TELLING_MS) return undefined;
  return (
    <span className="text-wait" title="Time in which it did nothing but wait for people">
      <Took ms={ms} /> for people
    </span>
  );
}

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
