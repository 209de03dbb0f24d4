import { useState } from "react";
import { can, useInbox, useMe, useOverview, type RunSummary } from "../data/index.ts";
import { Button, Empty, Kbd, Loading, Panel, ProblemNote, useShortcuts } from "../ui/index.ts";
import { Glance } from "./glance.tsx";
import { ProjectBar } from "./project-bar.tsx";
import { RunTable } from "./run-table.tsx";
import { StartDialog } from "./start-dialog.tsx";

const isOver = ({ status }: RunSummary): boolean => status === "succeeded" || status === "failed" || status === "cancelled";

/** Everything at a glance: what waits for people, what runs, what it costs. */
export function OverviewPage() {
  const overview = useOverview();
  const inbox = useInbox().data ?? [];
  const me = useMe().data;
  const [project, setProject] = useState("");
  const [isStarting, setStarting] = useState(false);
  const mayStart = can(me?.role, "operate");
  useShortcuts({ n: mayStart ? () => setStarting(true) : undefined, j: () => focusRow(1), k: () => focusRow(-1) });

  const data = overview.data;
  const projects = data?.projects ?? me?.projects ?? [];
  const shown = (data?.runs ?? []).filter((run) => project === "" || run.project === project);
  const [open, over] = [shown.filter((run) => !isOver(run)), shown.filter(isOver)];

  return (
    <div className="mx-auto flex max-w-6xl flex-col gap-4">
      <header className="flex flex-wrap items-center gap-2">
        <h1 className="mr-auto text-lg font-semibold">
          Overview{projects.length === 1 && projects[0] ? <span className="font-normal text-muted"> · {projects[0].name}</span> : undefined}
        </h1>
        {mayStart ? (
          <Button look="primary" onClick={() => setStarting(true)}>
            Start work <Kbd>n</Kbd>
          </Button>
        ) : undefined}
      </header>

      {overview.error && !data ? <ProblemNote problem={overview.error} retry={() => void overview.refetch()} /> : undefined}
      {data ? <Glance overview={data} inbox={inbox} /> : undefined}
      {projects.length > 1 ? (
        <ProjectBar
          projects={projects}
          open={(data?.runs ?? []).filter((run) => !isOver(run))}
          inbox={inbox}
          chosen={project}
          onChoose={setProject}
        />
      ) : undefined}
      {overview.isPending ? <Loading what="Loading runs" /> : undefined}

      {data && data.runs.length === 0 ? (
        <Panel>
          <Empty title="No run yet." command={'stepfall do "Fix the failing test"'}>
            Give an agent a task in one of your projects {mayStart ? "with Start work above, or " : ""}in a terminal. What it did is here as
            soon as it begins. To look around first, with a scripted model and no key: <code className="font-mono">stepfall demo</code>
          </Empty>
        </Panel>
      ) : undefined}
      {open.length > 0 ? (
        <Panel title={`Going on (${open.length})`} flush>
          <RunTable runs={open} inbox={inbox} mayOperate={mayStart} showProject={project === "" && projects.length > 1} />
        </Panel>
      ) : undefined}
      {over.length > 0 ? (
        <Panel title={`Over (${over.length}${data && data.runs.length >= 100 ? ", of the newest 100 runs" : ""})`} flush>
          <RunTable runs={over} inbox={[]} mayOperate={false} showProject={project === "" && projects.length > 1} />
        </Panel>
      ) : undefined}
      {data && data.runs.length > 0 && shown.length === 0 ? (
        <Panel>
          <Empty title="No run of this project.">Choose another project, or start work in this one.</Empty>
        </Panel>
      ) : undefined}
      {isStarting ? <StartDialog projects={projects} onClose={() => setStarting(false)} /> : undefined}
    </div>
  );
}

/** Moves the focus along the links of the runs. */
function focusRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-run-link]")];
  const at = rows.findIndex((row) => row === document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}
