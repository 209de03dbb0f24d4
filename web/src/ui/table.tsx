import type { ReactNode } from "react";

/** A table of figures, in a box that scrolls sideways where it is narrow. `label`: for screen readers. */
export function Table({ label, head, foot, children }: { label: string; head: ReactNode; foot?: ReactNode; children: ReactNode }) {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={label}>
      <table className="w-full">
        <thead>
          <tr>{head}</tr>
        </thead>
        <tbody>{children}</tbody>
        {foot === undefined ? undefined : <tfoot className="border-t-2 border-line font-medium">{foot}</tfoot>}
      </table>
    </div>
  );
}

interface CellProps {
  /** Words stand left, figures right. Default: right. */
  left?: boolean;
  title?: string | undefined;
  children: ReactNode;
}

export function Th({ left = false, title, children }: CellProps) {
  return (
    <th
      scope="col"
      title={title}
      className={`px-3 py-2 text-xs font-medium whitespace-nowrap text-muted ${left ? "text-left" : "text-right"}`}
    >
      {children}
    </th>
  );
}

export function Td({ left = false, title, children }: CellProps) {
  return (
    <td title={title} className={`px-3 py-1.5 align-top ${left ? "text-left" : "text-right whitespace-nowrap"}`}>
      {children}
    </td>
  );
}

/** What a row is of. Long names are cut, and whole on hover. */
export function RowName({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <th scope="row" title={title} className="max-w-72 truncate px-3 py-1.5 text-left align-top font-normal">
      {children}
    </th>
  );
}
