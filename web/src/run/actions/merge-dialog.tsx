import { useEffect, useState } from "react";
import { useActions, useRunStatus, type Problem, type RunStatus } from "../../data/index.ts";
import { Button, CommandLine, Dialog, plural, ProblemNote } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import { visible } from "../model/visible.ts";
import { useAct } from "../use-act.ts";

/** As many files are named before one asks for all. */
const MOST_FILES = 12;

/** Brings the run's result into the user's checkout: says what goes where before it is done, and what stands in the way where something does. */
export function MergeDialog({ frame, report, onClose }: { frame: Frame; report: RunStatus; onClose(): void }) {
  const { runId, state } = frame;
  const actions = useActions();
  const act = useAct();
  const [isPartial, setPartial] = useState(false);
  const isWhole = state.outcome === "succeeded";
  // Another branch may have been checked out since it was read.
  const { refetch } = useRunStatus(runId);
  useEffect(() => void refetch(), [refetch]);
  const into = report.checkedOut;
  const files = report.diff?.files ?? [];
  return (
    <Dialog title={into === undefined ? "Merge the result" : `Merge the result into ${into}`} onClose={onClose}>
      <div className="flex flex-col gap-3">
        <p className="break-words">
          Merges <strong className="font-mono">{state.branch}</strong> into{" "}
          {into === undefined ? "the branch that is checked out" : <strong className="font-mono">{into}</strong>} in{" "}
          <span className="font-mono">{state.project}</span>, where your own git hooks run. What is uncommitted there stays.
        </p>
        {files.length > 0 ? <Files files={files} /> : undefined}
        {isWhole ? undefined : (
          <label className="flex items-start gap-2">
            <input type="checkbox" checked={isPartial} onChange={(event) => setPartial(event.target.checked)} />
            <span>
              The run {state.outcome === "cancelled" ? "was cancelled" : "failed"}, so this is only what was done before. Merge what is
              there.
            </span>
          </label>
        )}
        {act.problem ? <Refused problem={act.problem} /> : undefined}
        <span className="flex flex-wrap gap-2">
          <Button
            look="primary"
            data-first
            disabled={act.isBusy || (!isWhole && !isPartial)}
            onClick={() => act.run(async () => actions.merge(runId, isPartial ? { partial: true } : {}).then(onClose))}
          >
            {act.isBusy ? "Merging …" : act.problem ? "Try again" : into === undefined ? "Merge" : `Merge into ${into}`}
          </Button>
          <Button onClick={onClose}>Back</Button>
        </span>
        <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
          The same in a terminal: <CommandLine command={`stepfall merge ${isWhole ? "" : "--partial "}${runId}`} />
        </p>
      </div>
    </Dialog>
  );
}

function Files({ files }: { files: NonNullable<RunStatus["diff"]>["files"] }) {
  const [most, setMost] = useState(MOST_FILES);
  return (
    <div>
      <p className="text-muted">{plural(files.length, "file")} changed:</p>
      <ul aria-label="Files it changes" tabIndex={0} className="max-h-48 overflow-y-auto font-mono text-xs">
        {files.slice(0, most).map(({ path, added, removed, binary }) => (
          <li key={path} className="break-all">
            {visible(path)}{" "}
            {binary ? (
              <span className="text-muted">binary</span>
            ) : (
              <>
                <span className="text-good">+{added}</span> <span className="text-bad">−{removed}</span>
              </>
            )}
          </li>
        ))}
      </ul>
      {files.length > most ? (
        <Button small onClick={() => setMost(files.length)}>
          and {(files.length - most).toLocaleString("en")} more
        </Button>
      ) : undefined}
    </div>
  );
}

/** What stands in the way, and each file that does. */
function Refused({ problem }: { problem: Problem }) {
  const files = problem.problems.flatMap(({ file }) => (file === undefined ? [] : [file]));
  return (
    <div className="flex flex-col gap-1">
      <ProblemNote problem={{ code: problem.code, message: problem.message, hint: problem.hint }} />
      {files.length > 0 ? (
        <ul aria-label="Files in the way" tabIndex={0} className="max-h-40 list-disc overflow-y-auto pl-5 font-mono text-xs text-bad">
          {files.map((file) => (
            <li key={file} className="break-all">
              {visible(file)}
            </li>
          ))}
        </ul>
      ) : undefined}
    </div>
  );
}
