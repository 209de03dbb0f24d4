import type { ViewRow } from "../data/index.ts";
import { Money } from "../ui/index.ts";

const MOST = 12;

/** The dearest rows, side by side. The table below says the same in figures. */
export function BarChart({ rows }: { rows: readonly ViewRow[] }) {
  const shown = rows.slice(0, MOST);
  const most = Math.max(1, ...shown.map((row) => row.microUsd));
  return (
    <ul aria-hidden="true" className="grid grid-cols-[minmax(4rem,14rem)_1fr] items-center gap-x-3 gap-y-1 text-xs">
      {shown.map((row) => (
        <li key={row.name} className="contents">
          <span className="truncate text-muted" title={row.name}>
            {row.name}
          </span>
          <span className="flex items-center gap-2">
            <span className="h-3 rounded-r bg-accent" style={{ width: `max(1px, calc(${(row.microUsd / most) * 100}% - 6rem))` }} />
            <Money microUsd={row.microUsd} />
          </span>
        </li>
      ))}
    </ul>
  );
}
