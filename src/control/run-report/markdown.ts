/** Pieces of Markdown in which nothing that a person, an agent or a program wrote has a meaning of its own. */

/** In a line of text or a cell of a table. */
export function plain(text: string, most = 300): string {
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim(); // eslint-disable-line no-control-regex
  const cut = line.length > most ? `${line.slice(0, most - 1)}…` : line;
  return (
    cut
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll(/([\\`*_[\]|~#!])/g, "\\$1")
      // Renderers make links of bare addresses.
      .replaceAll("://", ":&#47;&#47;")
  );
}

/** A name or an id. */
export const code = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map((m) => m[0].length));
  const fence = "`".repeat(longest + 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${fence}${pad}${line.replaceAll("|", "\\|")}${pad}${fence}`;
};

/** Several lines as they were printed: the end of them, which says most. */
export function block(text: string, most = 2000): string {
  const clean = text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "").trim(); // eslint-disable-line no-control-regex
  const cut = clean.length > most ? `…${clean.slice(1 - most)}` : clean;
  const longest = Math.max(2, ...[...cut.matchAll(/`+/g)].map((m) => m[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${cut}\n${fence}`;
}

export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}

export const section = (title: string, ...parts: readonly (string | undefined)[]): string[] => {
  const body = parts.filter((p): p is string => p !== undefined && p !== "");
  return body.length === 0 ? [] : [`## ${title}`, ...body];
};

/** `2026-11-21 12:03:01 UTC`: a report is read anywhere. */
export const time = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Milliseconds in words, and never less exact than a tenth of a second. */
export function duration(ms: number): string {
  if (ms < 0) return "an unknown time (the clock was set back)";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min ${seconds % 60} s`;
}
