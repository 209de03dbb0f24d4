import { useParams } from "@tanstack/react-router";
import { RunPage } from "./run/index.tsx";

/** A page of its own for each run: what was chosen in one says nothing of another. */
export function RunRoute() {
  const { runId } = useParams({ from: "/runs/$runId" });
  return <RunPage key={runId} runId={runId} />;
}
