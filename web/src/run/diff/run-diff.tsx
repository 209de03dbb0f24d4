import { useDiff } from "../../data/index.ts";
import { Button, Empty, Loading, ProblemNote } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import { ChangeView } from "./change-view.tsx";

/** What the whole run has changed: its branch against the commit it began from, in the place of a step. */
export function RunDiff({ frame, onClose }: { frame: Frame; onClose(): void }) {
  const { state, runId, isNow } = frame;
  const isThere = frame.facts.hasResult(frame.version);
  return (
    <section aria-label="Change of the whole run" className="flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1.5">
        <h2 className="font-semibold">Change of the whole run</h2>
        <span className="min-w-0 truncate font-mono text-xs text-muted" title={`${state.branch}, from ${state.base}`}>
          {state.branch}
        </span>
        <Button small look="quiet" className="ml-auto" onClick={onClose}>
          Back to the step
        </Button>
      </header>
      <div className="min-h-0 flex-1">
        {!isNow ? (
          <Empty title="The whole change is there as it is now.">
            At this event the page is as it was then: go back to now, or look at the change of a step.
          </Empty>
        ) : isThere ? (
          <Whole runId={runId} range={`${state.base.slice(0, 12)} ${state.branch}`} />
        ) : (
          <Empty title={state.status === "running" ? "Nothing was merged into its branch yet." : "It changed nothing."} />
        )}
      </div>
    </section>
  );
}

function Whole({ runId, range }: { runId: string; range: string }) {
  const diff = useDiff(runId);
  if (diff.error) return <ProblemNote problem={diff.error} retry={() => void diff.refetch()} />;
  if (!diff.data) return <Loading what="Reading the change" />;
  return <ChangeView diff={diff.data} elsewhere={`git diff ${range}`} />;
}
