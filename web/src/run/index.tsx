import { useRunEvents } from "../data/index.ts";
import { Empty, Loading, ProblemNote } from "../ui/index.ts";
import "./run.css";
import { usePaced } from "./use-paced.ts";
import { RunView } from "./run-view.tsx";

/** Ten times a second is as live as eyes can tell, and leaves the frames between for whoever scrolls. Less often where drawing takes long. */
const REDRAW_MS = 100;

/** The page of one run. */
export function RunPage({ runId }: { runId: string }) {
  const { events: all, isLoaded, isLive, error } = useRunEvents(runId);
  const events = usePaced(all, REDRAW_MS);
  if (events.length > 0 && (isLoaded || error)) return <RunView runId={runId} events={events} isLive={isLive} />;
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
