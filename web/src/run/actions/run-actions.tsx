import { useState } from "react";
import { can, useMe, type RunStatus } from "../../data/index.ts";
import { Button, Tag } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import { AgainDialog } from "./again-dialog.tsx";
import { CancelDialog, ResumeDialog } from "./ask-dialog.tsx";
import { MergeDialog } from "./merge-dialog.tsx";

/** What can be done about a run as it is now. What a role may not do has no button. */
export function RunActions({
  frame,
  report,
  isResult,
  onResult,
}: {
  frame: Frame;
  report: RunStatus | undefined;
  isResult: boolean;
  onResult(isShown: boolean): void;
}) {
  const me = useMe().data;
  const [open, setOpen] = useState<"cancel" | "resume" | "merge" | "again" | undefined>();
  const { state, runId } = frame;
  const mayAct = can(me?.role, "operate");
  const isRunning = state.status === "running";
  const hasResult = frame.facts.hasResult(frame.version);
  // Without a tip its branch is gone.
  const canMerge = !isRunning && hasResult && !state.mergedInto && report?.tip !== undefined && report.tip !== report.base;
  // What waits for people is answered, a budget that asks too; and what is driven needs no second driver.
  const isAsked = [...state.inbox.values()].some((item) => item.kind === "budget");
  const canResume = isRunning && (report?.status === "stopped" || (report?.status === "budget" && !isAsked));
  const close = (): void => setOpen(undefined);
  return (
    <span className="ml-auto flex flex-wrap items-center gap-2">
      <a
        className="text-xs text-accent hover:underline"
        href={`/api/v1/runs/${encodeURIComponent(runId)}/report.md`}
        target="_blank"
        rel="noreferrer"
      >
        Report
      </a>
      {report?.cleaned ? <Tag title="stepfall clean removed its transcripts and workspaces">cleaned</Tag> : undefined}
      {hasResult ? (
        <Button small aria-pressed={isResult} className={isResult ? "!bg-accent-soft" : ""} onClick={() => onResult(!isResult)}>
          Whole change
        </Button>
      ) : undefined}
      {mayAct && canResume ? (
        <Button small onClick={() => setOpen("resume")}>
          Resume
        </Button>
      ) : undefined}
      {mayAct && isRunning ? (
        <Button small look="danger" disabled={state.cancel !== undefined} onClick={() => setOpen("cancel")}>
          {state.cancel ? "Cancelling …" : "Cancel"}
        </Button>
      ) : undefined}
      {mayAct && !isRunning ? (
        <Button small onClick={() => setOpen("again")}>
          Start again
        </Button>
      ) : undefined}
      {can(me?.role, "answer") && canMerge ? (
        <Button small look="primary" onClick={() => setOpen("merge")}>
          Merge
        </Button>
      ) : undefined}
      {open === "cancel" ? <CancelDialog runId={runId} onClose={close} /> : undefined}
      {open === "resume" ? <ResumeDialog runId={runId} onClose={close} /> : undefined}
      {open === "again" ? <AgainDialog frame={frame} onClose={close} /> : undefined}
      {open === "merge" && report ? <MergeDialog frame={frame} report={report} onClose={close} /> : undefined}
    </span>
  );
}
