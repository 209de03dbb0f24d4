import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The documents that users read, and what is in them. */

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Document {
  /** From the top of the repository. */
  path: string;
  text: string;
}

export const read = (path: string): Document => ({ path, text: readFileSync(join(root, path), "utf8") });

/** README, CONTEXT and everything in docs/. */
export function allDocuments(): Document[] {
  const inDocs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
    .sort();
  return ["README.md", "CONTEXT.md", ...inDocs].map(read);
}

export interface Block {
  language: string;
  /** What stands behind the language: `test`, `pipeline`, `file=fix.yaml`. */
  info: readonly string[];
  text: string;
  line: number;
  /** From a comment, which no reader sees: set-up of the examples around it, and what they should have done. */
  isHidden: boolean;
}

/** Fenced blocks, and comments that begin with `sh test`, which are blocks without a fence; in order. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let open: { end: "```" | "-->"; language: string; info: string[]; lines: string[]; line: number } | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    if (open) {
      if (!line.startsWith(open.end)) open.lines.push(line);
      else {
        const { end, language, info, lines } = open;
        blocks.push({ language, info, text: `${lines.join("\n")}\n`, line: open.line, isHidden: end === "-->" });
        open = undefined;
      }
      continue;
    }
    const opening = line.startsWith("```") ? line.slice(3) : /^<!-- (sh test.*)/.exec(line)?.[1];
    if (opening === undefined) continue;
    const [language = "", ...info] = opening.trim().split(/\s+/);
    open = { end: line.startsWith("```") ? "```" : "-->", language, info, lines: [], line: i + 1 };
  }
  if (open) throw new Error(`the block of line ${open.line} is never closed`);
  return blocks;
}

/** Value of `key=value` behind a block's language. */
export const valueOf = (block: Block, key: string): string | undefined =>
  block.info.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);

/** The text without its fenced blocks: line numbers stay. */
export function prose(text: string): string {
  let inside = false;
  return text
    .split("\n")
    .map((line) => {
      if (!line.startsWith("```")) return inside ? "" : line;
      inside = !inside;
      return "";
    })
    .join("\n");
}

export const inlineCode = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map((m) => m[1] ?? "");

/** Relative links that lead nowhere. */
export function brokenLinks({ path, text }: Document): string[] {
  return [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((m) => m[1] ?? "")
    .filter((target) => !/^(?:https?:|mailto:|#)/.test(target))
    .filter((target) => !existsSync(join(root, dirname(path), target.replace(/#.*$/, ""))));
}

/** Targets `#part` of links, in this or another document, that are no heading there. */
export function brokenAnchors({ path, text }: Document): string[] {
  return [...prose(text).matchAll(/\]\(([^)\s]*)#([^)\s]+)\)/g)]
    .filter(([, target = ""]) => target === "" || (target.endsWith(".md") && !/^https?:/.test(target)))
    .filter(([, target = "", anchor = ""]) => {
      const file = target === "" ? path : relative(root, join(root, dirname(path), target));
      return existsSync(join(root, file)) && !anchorsOf(read(file).text).includes(anchor);
    })
    .map((m) => m[0].slice(2, -1));
}

/** As GitHub makes them. */
const anchorsOf = (text: string): string[] =>
  [...prose(text).matchAll(/^#{1,6} (.+)$/gm)].map((m) =>
    (m[1] ?? "")
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

/** Cells of the tables under a heading, without their head. */
export function rowsUnder(text: string, heading: string): string[][] {
  const lines = text.split("\n");
  const from = lines.findIndex((l) => /^#{1,6} /.test(l) && l.replace(/^#+ /, "").trim() === heading);
  if (from < 0) throw new Error(`there is no heading "${heading}"`);
  const level = /^#+/.exec(lines[from] ?? "")?.[0].length ?? 1;
  const rest = lines.slice(from + 1);
  const end = rest.findIndex((l) => new RegExp(`^#{1,${level}} `).test(l));
  const rows = (end < 0 ? rest : rest.slice(0, end)).filter((l) => l.startsWith("|"));
  return rows
    .filter((l, i) => !/^\|[\s:|-]+\|$/.test(l) && !/^\|[\s:|-]+\|$/.test(rows[i + 1] ?? ""))
    .map((l) =>
      l
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll("\\|", "|")),
    );
}
