import { memo } from "react";
import { useDiff } from "../../data/index.ts";
import { Empty, Loading, ProblemNote } from "../../ui/index.ts";
import { ChangeView } from "./change-view.tsx";

/** What an attempt changed. `range`: the commits that git knows it by; absent: it has left nothing by the event the page shows. */
export const StepDiff = memo(function StepDiff({
  runId,
  attempt,
  range,
}: {
  runId: string;
  attempt: string | undefined;
  range: string | undefined;
}) {
  const diff = useDiff(runId, attempt === undefined ? {} : { attempt }, range !== undefined);
  if (range === undefined) return <Empty title="No change is there yet.">An attempt's change is seen once the attempt is over.</Empty>;
  if (diff.error) return <ProblemNote problem={diff.error} retry={() => void diff.refetch()} />;
  if (!diff.data) return <Loading what="Reading the change" />;
  return <ChangeView diff={diff.data} elsewhere={`git diff ${range}`} />;
});
