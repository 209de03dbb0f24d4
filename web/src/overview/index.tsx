import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { can, useInbox, useMe, useOverview } from "../data/index.ts";
import { Button, Empty, Kbd, Loading, nameOf, Panel, ProblemNote, projectNames, useShortcuts } from "../ui/index.ts";
import { useAllRuns } from "./all-runs.ts";
import { BulkBar } from "./bulk-bar.tsx";
import { FirstRun } from "./first-run.tsx";
import { Glance } from "./glance.tsx";
import { ProjectBar } from "./project-bar.tsx";
import { RunTable } from "./run-table.tsx";
import { isOver } from "./run-words.ts";
import { noneChosen, toggle, toggleAll } from "./selection.ts";
import { StartDialog } from "./start-dialog.tsx";

const LINKED = "stepfall-project";
/** The project that this browser was led to: it stays in the list, also before its first run. */
const rememberedProject = (): string | undefined => window.sessionStorage.getItem(LINKED) ?? undefined;
const rememberProject = (path: string): void => window.sessionStorage.setItem(LINKED, path);

/** Everything at a glance: what waits for people, what runs, what it costs. */
export function OverviewPage() {
  const overview = useOverview();
  const inbox = useInbox().data ?? [];
  const me = useMe().data;
  const asked = useSearch({ from: "/" }).project;
  const linked = asked ?? rememberedProject();
  if (asked !== undefined) rememberProject(asked);
  const [project, setProject] = useState(asked ?? "");
  const [isStarting, setStarting] = useState(false);
  const [selection, select] = useState(noneChosen);
  const mayStart = can(me?.role, "operate");

  const data = overview.data;
  const known = data?.projects ?? me?.projects ?? [];
  // Of a link that `stepfall up` printed in a project which has no run yet.
  const projects =
    linked === undefined || known.some(({ path }) => path === linked) ? known : [{ path: linked, name: nameOf(linked) }, ...known];
  const all = useAllRuns(data, project);
  const shown = all.runs.filter((run) => project === "" || run.project === project);
  const [open, over] = [shown.filter((run) => !isOver(run)), shown.filter(isOver)];
  const order = [...open, ...over].map(({ runId }) => runId);
  const start = (): void => setStarting(true);
  const chooseFocused = (isRange: boolean): false | void => {
    const runId = focusedRow()?.dataset["run"];
    if (runId === undefined) return false;
    select((before) => toggle(before, order, runId, isRange));
  };
  useShortcuts({
    n: mayStart ? start : undefined,
    j: () => focusRow(1),
    k: () => focusRow(-1),
    ...(mayStart
      ? {
          x: () => chooseFocused(false),
          X: () => chooseFocused(true),
          Escape: () => (selection.chosen.size === 0 ? false : select(noneChosen)),
        }
      : {}),
  });
  const table = {
    inbox,
    readAt: overview.dataUpdatedAt,
    mayOperate: mayStart,
    projectNames: project === "" && projects.length > 1 ? projectNames(projects) : new Map<string, string>(),
    chosen: selection.chosen,
    onChoose: (runId: string, isRange: boolean) => select((before) => toggle(before, order, runId, isRange)),
    onChooseAll: (runIds: readonly string[]) => select((before) => toggleAll(before, runIds)),
  };

  return (
    <div className="mx-auto flex max-w-6xl flex-col gap-4">
      <header className="flex flex-wrap items-center gap-2">
        <h1 className="mr-auto min-w-0 truncate text-lg font-semibold">
          Overview{projects.length === 1 && projects[0] ? <span className="font-normal text-muted"> · {projects[0].name}</span> : undefined}
        </h1>
        {mayStart ? (
          <Button look="primary" onClick={start}>
            Start work <Kbd>n</Kbd>
          </Button>
        ) : undefined}
      </header>

      {overview.error && !data ? <ProblemNote problem={overview.error} retry={() => void overview.refetch()} /> : undefined}
      {data ? <Glance overview={data} inbox={inbox} /> : undefined}
      {projects.length > 1 ? (
        <ProjectBar
          projects={projects}
          open={all.runs.filter((run) => !isOver(run))}
          inbox={inbox}
          chosen={project}
          onChoose={(path) => {
            setProject(path);
            // What is not to be seen must not be cancelled with the rest.
            select(noneChosen);
          }}
        />
      ) : undefined}
      {overview.isPending ? <Loading what="Loading runs" /> : undefined}
      {mayStart ? (
        <BulkBar runs={shown.filter(({ runId }) => selection.chosen.has(runId))} onClear={() => select(noneChosen)} />
      ) : undefined}

      {data && data.runs.length === 0 ? <FirstRun projects={projects} onStart={mayStart ? start : undefined} /> : undefined}
      {open.length > 0 ? (
        <Panel title={`Going on (${open.length})`} flush>
          <RunTable label="Runs that go on" runs={open} {...table} />
        </Panel>
      ) : undefined}
      {over.length > 0 ? (
        <Panel title={`Over (${over.length}${all.hasMore ? " shown" : ""})`} flush>
          <RunTable label="Runs that are over" runs={over} {...table} inbox={[]} />
        </Panel>
      ) : undefined}
      {data && data.runs.length > 0 && shown.length === 0 && !all.hasMore ? (
        <FirstRun projects={projects.filter(({ path }) => path === project)} onStart={mayStart ? start : undefined} />
      ) : undefined}
      {data && data.runs.length > 0 && shown.length === 0 && all.hasMore ? (
        <Panel>
          <Empty title="No run of this project among the newest." command='stepfall do "Fix the failing test"'>
            Choose another project, {mayStart ? "start work in this one above, " : ""}or give it a task in its folder:
          </Empty>
        </Panel>
      ) : undefined}
      {all.problem ? <ProblemNote problem={all.problem} /> : undefined}
      {all.hasMore ? (
        <div>
          <Button disabled={all.isLoading} onClick={all.showOlder}>
            {all.isLoading ? "Loading older runs …" : "Show older runs"}
          </Button>
        </div>
      ) : undefined}
      {isStarting ? (
        <StartDialog
          projects={projects}
          project={project === "" ? (linked ?? projects[0]?.path ?? "") : project}
          onClose={() => setStarting(false)}
        />
      ) : undefined}
    </div>
  );
}

const focusedRow = (): HTMLElement | undefined => document.activeElement?.closest<HTMLElement>("[data-run]") ?? undefined;

/** Moves the focus along the runs. */
function focusRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-run]")];
  const at = rows.findIndex((row) => row === focusedRow());
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.querySelector<HTMLElement>("[data-run-link]")?.focus();
}
