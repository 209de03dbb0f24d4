import { useEffect, useRef } from "react";
import type { InboxEntry, RunSummary } from "../data/index.ts";
import { nameOf } from "../ui/index.ts";
import { cell, RunRow, wide } from "./run-row.tsx";

interface RunTableProps {
  /** What kind of runs: for screen readers. */
  label: string;
  runs: readonly RunSummary[];
  inbox: readonly InboxEntry[];
  /** When the server told of them. */
  readAt: number;
  mayOperate: boolean;
  /** By path; empty where all are of one. */
  projectNames: ReadonlyMap<string, string>;
  chosen: ReadonlySet<string>;
  onChoose: (runId: string, isRange: boolean) => void;
  onChooseAll: (runIds: readonly string[]) => void;
}

/** Runs, one a line; on a phone the lesser columns go below the name. */
export function RunTable({ label, runs, inbox, readAt, mayOperate, projectNames, chosen, onChoose, onChooseAll }: RunTableProps) {
  const waiting = Map.groupBy(inbox, (entry) => entry.runId);
  const ids = runs.map(({ runId }) => runId);
  return (
    <table className="w-full table-fixed text-left" aria-label={label}>
      <thead className="text-xs text-muted">
        <tr>
          {mayOperate ? (
            <th scope="col" className="w-10 py-2 pl-2">
              <ChooseAll label={`Choose all: ${label}`} ids={ids} chosen={chosen} onChooseAll={onChooseAll} />
            </th>
          ) : undefined}
          <th scope="col" className={`${cell} font-medium`}>
            Run
          </th>
          {projectNames.size > 0 ? (
            <th scope="col" className={`${cell} ${wide} w-32 font-medium`}>
              Project
            </th>
          ) : undefined}
          <th scope="col" className={`${cell} ${wide} w-36 font-medium`}>
            Steps
          </th>
          <th scope="col" className={`${cell} w-28 text-right font-medium md:w-40`}>
            Cost
          </th>
          <th scope="col" className={`${cell} ${wide} w-36 text-right font-medium`}>
            Time
          </th>
          <th scope="col" className={`${cell} ${wide} w-28 text-right font-medium`}>
            Begun
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow
            key={run.runId}
            run={run}
            waiting={waiting.get(run.runId) ?? []}
            readAt={readAt}
            mayOperate={mayOperate}
            projectName={projectNames.size > 0 ? (projectNames.get(run.project) ?? nameOf(run.project)) : undefined}
            isChosen={chosen.has(run.runId)}
            onChoose={(isRange) => onChoose(run.runId, isRange)}
          />
        ))}
      </tbody>
    </table>
  );
}

function ChooseAll({
  label,
  ids,
  chosen,
  onChooseAll,
}: Pick<RunTableProps, "label" | "chosen" | "onChooseAll"> & { ids: readonly string[] }) {
  const box = useRef<HTMLInputElement>(null);
  const some = ids.filter((id) => chosen.has(id)).length;
  const isMixed = some > 0 && some < ids.length;
  useEffect(() => {
    if (box.current) box.current.indeterminate = isMixed;
  }, [isMixed]);
  return (
    <label className="flex size-8 items-center justify-center">
      <input
        ref={box}
        type="checkbox"
        className="size-4 accent-accent"
        aria-label={label}
        checked={some > 0 && some === ids.length}
        onChange={() => onChooseAll(ids)}
      />
    </label>
  );
}
