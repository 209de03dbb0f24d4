import { fromMarkdown } from "mdast-util-from-markdown";
import { applyPatchFormat } from "./apply-patch.ts";
import { element } from "./elements.ts";
import type { Findings } from "./findings.ts";
import { jsonFiles } from "./json-files.ts";
import { diffOpens, elementCloses, elementOpens, jsonOpens, patchCloses, patchOpens, searchOpens, type FenceOpen } from "./markers.ts";
import { pathOfComment, pathOfInfo, pathOfLine } from "./paths.ts";
import { searchReplace } from "./search-replace.ts";
import { unifiedDiff } from "./unified-diff.ts";

export interface FencedBlock {
  open: FenceOpen;
  /** Of the reply, from 1: the opening line. */
  line: number;
  /** Between the fences. */
  lines: string[];
  closed: boolean;
  /** What stood before it since the last block, a bounded number of lines. */
  before: readonly string[];
}

const SHELLS = new Set([
  "bash",
  "sh",
  "shell",
  "console",
  "zsh",
  "fish",
  "powershell",
  "ps1",
  "cmd",
  "bat",
  "terminal",
  "shell-session",
  "shellsession",
  "sh-session",
]);
const PROGRAMS = /\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|c|cc|cpp|h|hpp|cs|php|swift|html?|css|scss|vue|svelte|json|ya?ml|toml|md)$/i;

/** A fenced block: what it holds decides how it is read, its info string, the line above it or its first line names its file. */
export function fencedBlock(block: FencedBlock, findings: Findings): void {
  const { closed, line } = block;
  const { info, nameAbove, content } = parse(block);
  const from = line + 1;
  const [lang = ""] = info.toLowerCase().split(/[\s:{]/);
  const fromInfo = pathOfInfo(info, findings.has);
  const isCitation = fromInfo !== undefined && "citation" in fromInfo;
  const above = nameAbove === undefined ? undefined : pathOfLine(nameAbove, findings.has);
  const named = (fromInfo && "path" in fromInfo ? fromInfo.path : undefined) ?? above;
  const first = content.find((each) => each.trim() !== "") ?? "";
  const isMarkdown = lang === "md" || lang === "markdown" || /\.mdx?$/i.test(named ?? "");

  if (content.some((each) => searchOpens(each) !== undefined) && !(isMarkdown && !startsWithSearch(content))) {
    searchReplace(content, from, named, findings);
    return;
  }
  if (patchOpens(first)) return applyPatchFormat(content, from, content.some(patchCloses), findings);
  if (isDiff(lang, content, named)) return unifiedDiff(content, from, named, findings);
  const tag = named === undefined ? elementOpens(first) : undefined;
  if (tag !== undefined && (lang === "xml" || lang === "" || tag !== "file")) return elements(content, from, findings);
  if (named === undefined && jsonOpens(first) && jsonFiles(content.join("\n"), from, findings)) return;

  const comment = named === undefined ? commentPath(content, findings) : undefined;
  const path = named ?? comment?.path;
  if (path === undefined) {
    if (isCitation || SHELLS.has(lang) || first === "") return;
    return findings.snippet(from, "No path stands in the fence's info string, above it, or in its first line.", first);
  }
  if (SHELLS.has(lang) && PROGRAMS.test(path))
    return findings.snippet(from, "The block is a shell command below a file's name.", first, path);
  if (comment?.others) return findings.broken(from, "One fence holds several files: give each a fence of its own.", first, path);
  if (!closed) return findings.broken(from, "The reply ends within this file: send it again, whole.", first, path);
  const text = content.map((each) => `${each}\n`).join("");
  findings.edit(path, from, (placed) => ({ kind: "write", path: placed, content: text, line: from }));
}

interface Parsed {
  info: string;
  /** The text of the line right above. */
  nameAbove: string | undefined;
  content: string[];
}

/**
 * Markdown's own reading of where the block stands and of its info string, by a CommonMark parser. It is given the opening and
 * what is right above: the content needs no parsing, and a parser takes its time with a long one.
 */
function parse({ open, lines, before }: FencedBlock): Parsed {
  const opening = `${" ".repeat(open.indent)}${open.mark.repeat(open.length)}${open.info}`;
  const code = codeAt(fromMarkdown([...before, opening].join("\n")), before.length + 1);
  const info = code ? [code.lang, code.meta].filter((part) => part !== null && part !== undefined).join(" ") : open.info;
  return { info, nameAbove: lineAbove(before), content: lines.map((line) => dedent(line, open.indent)) };
}

type Root = ReturnType<typeof fromMarkdown>;
type Node = Root | Root["children"][number];
type Code = Extract<Node, { type: "code" }>;

function codeAt(node: Node, line: number): Code | undefined {
  if (node.type === "code") return node.position?.start.line === line ? node : undefined;
  if (!("children" in node)) return undefined;
  for (const child of node.children) {
    const { start, end } = child.position ?? {};
    if (start && end && start.line <= line && end.line >= line) {
      const found = codeAt(child, line);
      if (found) return found;
    }
  }
  return undefined;
}

/** The last line that says something, with at most one blank line below it. */
function lineAbove(before: readonly string[]): string | undefined {
  const last = before.at(-1);
  if (last === undefined) return undefined;
  return last.trim() === "" ? before.at(-2) : last;
}

function dedent(line: string, indent: number): string {
  const own = /^\s*/.exec(line)?.[0].length ?? 0;
  return line.slice(Math.min(own, indent));
}

function startsWithSearch(content: readonly string[]): boolean {
  const said = content.filter((line) => line.trim() !== "").slice(0, 2);
  return said.some((line) => searchOpens(line) !== undefined);
}

function isDiff(lang: string, content: readonly string[], named: string | undefined): boolean {
  const hasHunk = content.some((line) => /^@@ .*@@|^@@\s*$/.test(line));
  const hasHeader = content.some(
    (line, i) => line.startsWith("diff --git ") || (diffOpens(line) && (content[i + 1] ?? "").startsWith("+++ ")),
  );
  if (lang === "diff" || lang === "patch" || lang === "udiff")
    return hasHeader || hasHunk || named === undefined || !/\.(?:diff|patch)$/.test(named);
  return (lang === "" || named === undefined) && hasHeader && hasHunk;
}

function elements(content: readonly string[], from: number, findings: Findings): void {
  for (let i = 0; i < content.length; i++) {
    const name = elementOpens(content[i] ?? "");
    if (name === undefined) continue;
    let end = i;
    while (end < content.length && !elementCloses(content[end] ?? "", name)) end++;
    element(content.slice(i, end + 1), from + i, name, end < content.length, findings);
    i = end;
  }
}

/** A first line that is nothing but a path. Another such line further down means several files. */
function commentPath(content: readonly string[], findings: Findings): { path: string; others: boolean } | undefined {
  const at = content[0]?.startsWith("#!") === true ? 1 : 0;
  const path = pathOfComment(content[at] ?? "", findings.has);
  if (path === undefined) return undefined;
  const others = content.some((line, i) => {
    if (i <= at || /^\s/.test(line) || (content[i - 1] ?? "").trim() !== "") return false;
    const other = pathOfComment(line, findings.has);
    return other !== undefined && other !== path;
  });
  return { path, others };
}
