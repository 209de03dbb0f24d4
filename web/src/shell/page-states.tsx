import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { Empty, Panel, ProblemNote } from "../ui/index.ts";

export function NotFound() {
  return (
    <Panel>
      <Empty title="There is no such page.">
        <Link to="/" className="text-accent underline">
          To the overview
        </Link>
      </Empty>
    </Panel>
  );
}

/** A page that fell over takes nothing else down. */
export function PageFailed({ error, reset }: ErrorComponentProps) {
  return (
    <ProblemNote
      problem={{
        code: "PAGE_FAILED",
        message: `This page could not be shown: ${error instanceof Error ? error.message : String(error)}`,
        hint: "Your runs are not touched by this. Reload the page; if it stays, the terminal shows the same: stepfall show.",
      }}
      retry={reset}
    />
  );
}
