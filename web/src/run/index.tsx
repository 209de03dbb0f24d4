import type { Recorded } from "../../../src/domain/index.ts";
import { useRunEvents, type Problem } from "../data/index.ts";
import { Empty, Loading, ProblemNote } from "../ui/index.ts";
import "./run.css";
import { usePaced } from "./use-paced.ts";
import { RunView } from "./run-view.tsx";

/** Ten times a second is as live as eyes can tell, and leaves the frames between for whoever scrolls. Less often where drawing takes long. */
const REDRAW_MS = 100;

/** The page of one run. */
export function RunPage({ runId }: { runId: string }) {
  const { events, isLoaded, isLive, error } = useRunEvents(runId);
  if (events.length > 0 && (isLoaded || error))
    return (
      <>
        {error && !isLoaded ? <ProblemNote problem={incomplete(error, events.length)} /> : undefined}
        <Paced runId={runId} events={events} isLive={isLive} />
      </>
    );
  if (error) return <ProblemNote problem={error} />;
  if (!isLoaded)
    return (
      <Loading what={events.length === 0 ? "Reading the run" : `Reading the run, ${events.length.toLocaleString("en")} events so far`} />
    );
  return (
    <Empty title="This run has no events." command="stepfall ps --all">
      It was not found in the journal. Runs of all projects:
    </Empty>
  );
}

/** What is only read in part must not look like all of it. */
const incomplete = ({ code, message, hint }: Problem, count: number): Pick<Problem, "code" | "message" | "hint"> => ({
  code,
  message: `Only the first ${count.toLocaleString("en")} events of this run could be read: ${message}`,
  hint: hint === "" ? "Reload the page to try again." : hint,
});

/** Begins with all that is there when it is shown first: not with a run that is half read. */
function Paced({ runId, events, isLive }: { runId: string; events: readonly Recorded[]; isLive: boolean }) {
  return <RunView runId={runId} events={usePaced(events, REDRAW_MS)} isLive={isLive} />;
}
