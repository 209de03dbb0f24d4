import { createContext, Script } from "node:vm";
import { readText } from "./files.ts";
import { filesBelow } from "./list.ts";
import { Refused } from "./refused.ts";
import type { Tree } from "./tree.ts";

export interface SearchRequest {
  pattern: string;
  /** Otherwise the pattern is taken literally. */
  isRegex: boolean;
  path: string;
  glob?: string | undefined;
  /** Default 20 s. */
  timeoutMs?: number;
}

const MOST_HITS = 200;
const LINE_CHARS = 300;
const SEARCH_MS = 20_000;

/** `path:line:text` for each hit. */
export function search(tree: Tree, request: SearchRequest): string {
  if (request.pattern === "") throw new Refused("the pattern is empty");
  const kind = tree.kind(request.path);
  if (kind === "absent") throw new Refused(`${request.path} does not exist`);
  const hits = hitsIn(tree, request, kind === "file");
  const shown = hits.slice(0, MOST_HITS).map((hit) => (hit.length > LINE_CHARS ? `${hit.slice(0, LINE_CHARS)}...` : hit));
  if (hits.length > MOST_HITS) shown.push(`(more than ${MOST_HITS} hits: narrow the search)`);
  return shown.length > 0 ? shown.join("\n") : "no hits";
}

/** Models escape more than the strict syntax allows (`\\-`): then the lenient one. */
const compile = `
  const strict = () => { try { return new RegExp(pattern, "u") } catch { return new RegExp(pattern) } };
  const regex = isRegex ? strict() : undefined;
  test = (line) => regex ? regex.test(line) : line.includes(pattern)`;

/** In a context of its own only for its timeout: a pattern that backtracks for ever must not hang the agent. */
function hitsIn(tree: Tree, { pattern, isRegex, path, glob, timeoutMs = SEARCH_MS }: SearchRequest, isFile: boolean): string[] {
  const context = createContext({ pattern, isRegex, lines: [] as string[], test: undefined });
  const run = (source: string, timeout: number): unknown => new Script(source).runInContext(context, { timeout });
  try {
    run(compile, 1000);
  } catch (error) {
    throw new Refused(`the pattern is no regular expression: ${(error as Error).message}`);
  }
  const files = isFile ? [path] : filesBelow(tree, path, glob, 50_000).files;
  const until = performance.now() + timeoutMs;
  const hits: string[] = [];
  for (const file of files) {
    const lines = textLines(tree, file);
    context["lines"] = lines;
    const left = Math.max(1, Math.round(until - performance.now()));
    try {
      const found = run("lines.flatMap((line, at) => test(line) ? [at] : [])", left) as number[];
      hits.push(...found.map((at) => `${file}:${at + 1}:${lines[at]}`));
    } catch {
      throw new Refused(`the search took longer than ${timeoutMs / 1000} s, in ${file}; narrow it or make the pattern simpler`);
    }
    if (hits.length > MOST_HITS) break;
  }
  return hits;
}

/** Nothing for what is not text, not a file, or gone meanwhile. */
function textLines(tree: Tree, file: string): string[] {
  try {
    const lines = readText(tree, file).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  } catch {
    return [];
  }
}
