import type { InboxEntry, ProjectRef, RunSummary } from "../data/index.ts";
import { projectNames, StatusMark } from "../ui/index.ts";

/** Each project with what goes on in it, and what of it waits for people. Choosing one shows its runs alone. */
export function ProjectBar({
  projects,
  open,
  inbox,
  chosen,
  onChoose,
}: {
  projects: readonly ProjectRef[];
  open: readonly RunSummary[];
  inbox: readonly InboxEntry[];
  chosen: string;
  onChoose: (path: string) => void;
}) {
  const names = projectNames(projects);
  return (
    <div role="group" aria-label="Projects" className="flex flex-wrap gap-2">
      {[{ path: "" }, ...projects].map(({ path }) => {
        const isOf = (project: string): boolean => path === "" || project === path;
        const goingOn = open.filter((run) => isOf(run.project)).length;
        const waiting = inbox.filter((entry) => isOf(entry.project)).length;
        return (
          <button
            key={path}
            type="button"
            title={path}
            aria-pressed={chosen === path}
            onClick={() => onChoose(path)}
            className="inline-flex items-center gap-2 rounded-full border border-line bg-surface px-3 py-1 hover:bg-raised aria-pressed:border-accent aria-pressed:bg-accent-soft"
          >
            <span className="max-w-48 truncate font-medium">{path === "" ? "All projects" : (names.get(path) ?? path)}</span>
            {goingOn > 0 ? <span className="text-xs text-muted">{goingOn} going on</span> : undefined}
            {waiting > 0 ? (
              <span className="inline-flex items-center gap-1 text-xs text-wait">
                <StatusMark status="person" size={11} word="wait for people:" /> {waiting}
              </span>
            ) : undefined}
          </button>
        );
      })}
    </div>
  );
}
