import type { Edit } from "./contract.ts";
import { fenceOpens, searchCloses, searchDivides, searchOpens } from "./markers.ts";
import { looksLikePath, pathOfLine } from "./paths.ts";
import type { Findings } from "./findings.ts";

/**
 * SEARCH/REPLACE blocks among `lines` (the first is line `from` of the reply). A block's path is the line above it, what follows
 * its opening word, `named` (the fence's own), or the block's before it. Answers the path of the last block.
 */
export function searchReplace(lines: readonly string[], from: number, named: string | undefined, findings: Findings): string | undefined {
  let path = named;
  let above: string[] = [];
  let fresh = named !== undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const rest = searchOpens(line);
    if (rest === undefined) {
      above.push(line);
      continue;
    }
    const own = (rest === "" ? undefined : pathOfLine(rest, findings.has)) ?? pathAbove(above, findings.has);
    if (own !== undefined) path = own;
    else if (!fresh) path = findings.lastPath;
    fresh = true;
    above = [];
    const block = readBlock(lines, i);
    const at = from + i;
    if (!block.ok) findings.broken(at, block.why, line, path);
    else if (path === undefined) findings.broken(at, "No path stands above this SEARCH/REPLACE block.", block.search[0] ?? line);
    else
      findings.edit(path, at, (placed): Edit => ({
        kind: "replace",
        path: placed,
        search: text(block.search),
        replace: text(block.replace),
        line: at,
      }));
    if (path !== undefined) findings.lastPath = path;
    i = block.end;
  }
  return path;
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

type Block = { ok: true; search: string[]; replace: string[]; end: number } | { ok: false; why: string; end: number };

function readBlock(lines: readonly string[], opening: number): Block {
  let i = opening + 1;
  const search: string[] = [];
  const replace: string[] = [];
  // Roo's hints: `:start_line:10`, then a rule.
  if (/^\s*:(?:start|end)_line:/.test(lines[i] ?? "")) {
    while (/^\s*:(?:start|end)_line:/.test(lines[i] ?? "")) i++;
    if (/^\s*-{5,9}\s*$/.test(lines[i] ?? "")) i++;
  }
  let dividers = 0;
  for (; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (searchOpens(line) !== undefined)
      return { ok: false, why: "The SEARCH/REPLACE block does not end before the next begins.", end: i - 1 };
    if (searchCloses(line)) {
      if (dividers === 0) return { ok: false, why: "The SEARCH/REPLACE block has no ======= between its halves.", end: i };
      if (dividers > 1)
        return { ok: false, why: "The SEARCH/REPLACE block has more than one =======; which divides it cannot be told.", end: i };
      return { ok: true, search, replace, end: i };
    }
    if (searchDivides(line)) dividers += 1;
    else if (dividers === 0) search.push(line);
    else replace.push(line);
  }
  return { ok: false, why: "The SEARCH/REPLACE block is cut off: its end never comes.", end: lines.length - 1 };
}

/** The nearest line above that says something, unless it is no path. The marker below makes any single word one. */
function pathAbove(above: readonly string[], has: Findings["has"]): string | undefined {
  for (let i = above.length - 1; i >= 0 && i >= above.length - 4; i--) {
    const line = above[i] ?? "";
    if (line.trim() === "" || fenceOpens(line)) continue;
    const path = pathOfLine(line, has);
    if (path !== undefined) return path;
    const word = line.trim().replace(/^[#*`\s]+|[:*`\s]+$/g, "");
    const isNamed = /^[\w.@+-]+(?:\/[\w.@+-]+)+$/.test(word) || /^[\w@+-][\w.@+-]*\.[A-Za-z]\w*$/.test(word);
    return isNamed && looksLikePath(`${word}.txt`) ? word : undefined;
  }
  return undefined;
}
