import { useMe } from "../data/index.ts";
import { projectNames } from "./say.ts";

export const selectClass = "min-w-0 rounded-md border border-strong-line bg-surface px-2 py-1.5 text-ink";

/**
 * Of which project something is shown. `all`: what it is called when none is chosen; without it there is always one. Where there is no choice,
 * nothing.
 */
export function ProjectSelect({
  label,
  value,
  all,
  onChange,
}: {
  label: string;
  value: string | undefined;
  all?: string;
  onChange: (path: string) => void;
}) {
  const projects = useMe().data?.projects ?? [];
  if (projects.length < (all === undefined ? 1 : 2)) return undefined;
  const names = projectNames(projects);
  return (
    <label className="flex min-w-0 items-center gap-2 text-muted">
      <span className="whitespace-nowrap">{label}</span>
      <select className={`max-w-60 ${selectClass}`} value={value ?? ""} title={value} onChange={(event) => onChange(event.target.value)}>
        {all === undefined ? undefined : <option value="">{all}</option>}
        {projects.map(({ path }) => (
          <option key={path} value={path}>
            {names.get(path)}
          </option>
        ))}
      </select>
    </label>
  );
}
