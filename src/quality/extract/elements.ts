import type { Findings } from "./findings.ts";
import { fenceCloses, fenceOpens, searchOpens } from "./markers.ts";
import { searchReplace } from "./search-replace.ts";
import { jsonFiles } from "./json-files.ts";

const PATH_ATTRIBUTE = /\s(?:path|file_?path|filename|file_?name|file|name|title|target|src)\s*=\s*(?:"([^"]*)"|'([^']*)')/i;
const PATH_TAGS = ["path", "file_path", "filepath", "filename", "file_name", "target_file", "name"];
const CONTENT_TAGS = ["content", "contents", "code", "file_text", "file_content", "new_content", "source", "body", "text"];
const SEARCH_TAGS = ["search", "old_str", "old_string", "old_text", "old", "find", "original"];
const REPLACE_TAGS = ["replace", "new_str", "new_string", "new_text", "new", "replacement", "updated"];

/**
 * One element around a file: `<file path="a.ts">...</file>`, `<write_to_file><path>...<content>...`, `<str_replace>` and their
 * relatives. Read as text, not as XML: the code inside is not escaped, and must not be.
 */
export function element(lines: readonly string[], from: number, name: string, closed: boolean, findings: Findings): void {
  const text = lines.join("\n");
  const open = new RegExp(`^\\s*<${escape(name)}([^>]*)>`, "i").exec(text);
  if (!open) return;
  const end = closed ? text.toLowerCase().lastIndexOf(`</${name.toLowerCase()}>`) : text.length;
  const inner = text.slice(open[0].length, end);
  const kind = name.toLowerCase().replace(/^.*[:_](?=invoke$)/, "");
  if (kind.endsWith("call")) {
    if (!jsonFiles(inner, from, findings) && closed) findings.snippet(from, "The tool call writes no file.", inner.trim());
    return;
  }
  if (kind === "invoke") return invoke(inner, from, closed, findings);
  const attribute = PATH_ATTRIBUTE.exec(open[1] ?? "");
  const path = (attribute?.[1] ?? attribute?.[2] ?? childOf(inner, PATH_TAGS)?.trim()) || undefined;
  if (path === undefined) return findings.snippet(from, `<${name}> names no file.`, inner.trim());
  if (/^(?:delete|remove)/.test(kind)) return findings.edit(path, from, (placed) => ({ kind: "delete", path: placed, line: from }));
  const fields = { search: childOf(inner, SEARCH_TAGS), replace: childOf(inner, REPLACE_TAGS), content: childOf(inner, CONTENT_TAGS) };
  if (usePair(path, from, fields, findings)) return;
  const body = lines.slice(1, closed ? -1 : undefined);
  const diff = childOf(inner, ["diff"]) ?? inner;
  if (lines.some((line) => searchOpens(line) !== undefined)) {
    searchReplace(diff.split("\n"), from + linesUntil(text, text.indexOf(diff)), path, findings);
    return;
  }
  const content = fields.content ?? (hasChild(inner, PATH_TAGS) ? undefined : inner);
  if (!closed) return findings.broken(from, `<${name}> is cut off: its end never comes.`, body[0] ?? "", path);
  if (content === undefined) return findings.broken(from, `<${name}> names a file, but has no content for it.`, inner.trim(), path);
  write(path, from, content, findings);
}

function usePair(
  path: string,
  line: number,
  { search, replace }: { search: string | undefined; replace: string | undefined },
  findings: Findings,
): boolean {
  if (search === undefined || replace === undefined) return false;
  findings.edit(path, line, (placed) => ({ kind: "replace", path: placed, search: trimmed(search), replace: trimmed(replace), line }));
  return true;
}

/** `<invoke name="write_file"><parameter name="path">...` */
function invoke(inner: string, from: number, closed: boolean, findings: Findings): void {
  const fields = new Map<string, string>();
  const parameter = /<(?:[a-z]+:)?parameter name="([\w]+)"[^>]*>([\s\S]*?)<\/(?:[a-z]+:)?parameter>/gi;
  for (const [, key, value] of inner.matchAll(parameter)) fields.set((key ?? "").toLowerCase(), value ?? "");
  const first = (keys: readonly string[]): string | undefined => keys.map((key) => fields.get(key)).find((value) => value !== undefined);
  const path = first(PATH_TAGS)?.trim();
  if (path === undefined) return;
  if (usePair(path, from, { search: first(SEARCH_TAGS), replace: first(REPLACE_TAGS) }, findings)) return;
  const content = first(CONTENT_TAGS);
  if (content !== undefined && closed) write(path, from, content, findings);
  else findings.broken(from, "The tool call names a file, but its content is missing or cut off.", inner.trim(), path);
}

function write(path: string, line: number, raw: string, findings: Findings): void {
  const content = trimmed(raw);
  findings.edit(path, line, (placed) => ({ kind: "write", path: placed, content, line }));
}

/** Without the line ends next to the tags, CDATA, and a fence around all of it. */
function trimmed(raw: string): string {
  const text = raw.replace(/^[ \t]*\n/, "").replace(/\n[ \t]*$/, "");
  const cdata = /^\s*<!\[CDATA\[\n?/.exec(text)?.[0];
  const end = text.trimEnd();
  const bare = cdata !== undefined && end.endsWith("]]>") ? end.slice(cdata.length, -3).replace(/\n[ \t]*$/, "") : text;
  const lines = bare.trim().split("\n");
  const open = fenceOpens(lines[0] ?? "");
  const content = open && lines.length > 1 && fenceCloses(lines.at(-1) ?? "", open) ? lines.slice(1, -1).join("\n") : bare;
  return content === "" || content.endsWith("\n") ? content : `${content}\n`;
}

/** The first child with one of these names. The content of the last such child ends at its last closing tag. */
function childOf(inner: string, names: readonly string[]): string | undefined {
  for (const name of names) {
    const open = new RegExp(`^\\s*<${name}>|\\n[ \\t]*<${name}>|(?<=</\\w+>)\\s*<${name}>`, "i").exec(inner);
    if (!open) continue;
    const start = open.index + open[0].length;
    const tag = `</${name}>`;
    const isBody = CONTENT_TAGS.includes(name);
    const end = isBody ? inner.lastIndexOf(tag) : inner.indexOf(tag, start);
    if (end >= start) return inner.slice(start, end);
  }
  return undefined;
}

const hasChild = (inner: string, names: readonly string[]): boolean => names.some((name) => new RegExp(`^\\s*<${name}>`, "i").test(inner));

const linesUntil = (text: string, offset: number): number => text.slice(0, Math.max(0, offset)).split("\n").length - 1;

const escape = (name: string): string => name.replace(/[^\w]/g, "\\$&");
