export interface Column {
  title: string;
  align?: "right";
}

/** Text columns, two spaces apart, as wide as they must be. Rows shorter than the columns are filled up. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], by = ""): string {
  const all = [columns.map((c) => c.title), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => width(row[i] ?? ""))));
  return all
    .map((row) =>
      columns
        .map((c, i) => {
          const cell = row[i] ?? "";
          const gap = " ".repeat((widths[i] ?? 0) - width(cell));
          return c.align === "right" ? gap + cell : cell + gap;
        })
        .join("  ")
        .trimEnd(),
    )
    .map((line) => by + line)
    .join("\n");
}

/** Cells a text takes; colour codes take none. */
const width = (text: string): number => Array.from(text.replace(/\u001b\[\d+m/g, "")).length; // eslint-disable-line no-control-regex
