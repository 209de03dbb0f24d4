import { shown } from "./shown.ts";

/** What can be wrong with any YAML file of ours; rooms add codes of their own. */
export type ReadingCode =
  | "FILE_MISSING"
  | "FILE_IS_FOLDER"
  | "FILE_BINARY"
  | "FILE_UNREADABLE"
  | "FILE_TOO_LARGE"
  | "YAML_SYNTAX"
  | "YAML_TAB"
  | "YAML_SEVERAL_DOCUMENTS"
  | "YAML_TAG"
  | "YAML_ALIAS"
  | "YAML_ALIAS_BOMB"
  | "YAML_TOO_DEEP"
  | "YAML_CONTROL_CHARACTER"
  | "DUPLICATE_KEY"
  | "RESERVED_KEY"
  | "KEY_NOT_TEXT"
  | "NOT_A_MAP"
  | "UNKNOWN_KEY"
  | "MISSING_KEY"
  | "WRONG_TYPE"
  | "BAD_VALUE"
  | "BAD_ID"
  | "BAD_DURATION"
  | "BAD_MONEY"
  | "BAD_PATH"
  | "LITERAL_SECRET"
  | "NOT_SUPPORTED_YET";

/** One thing that is wrong, where it is, and what to do about it. */
export interface Problem<Code extends string = string> {
  code: Code;
  /** The file as the caller named it, or `$NAME` of an environment variable, or `--flag`. */
  file: string;
  /** Counts from 1; 0 when the problem has no place inside a file. */
  line: number;
  /** Counts from 1, in UTF-16 units; 0 when the problem has no place inside a file. */
  col: number;
  /** A sentence on what is wrong. Never holds a secret. */
  message: string;
  /** A sentence on what to do. */
  hint: string;
}

/** Problems by file, then by place, without exact repetitions. */
export function inOrder<P extends Problem>(problems: readonly P[]): P[] {
  const seen = new Set<string>();
  const files = [...new Set(problems.map((p) => p.file))];
  const rank = new Map(files.map((file, i) => [file, i]));
  return problems
    .filter((p) => {
      const key = JSON.stringify([p.file, p.line, p.col, p.code, p.message]);
      return seen.has(key) ? false : (seen.add(key), true);
    })
    .sort((a, b) => (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.line - b.line || a.col - b.col);
}

/** Text by file name, or the text of the only file there is. */
export type ProblemSources = string | Readonly<Record<string, string>>;

const MOST_SHOWN = 10;
const WIDEST_SOURCE_LINE = 100;

/**
 * The problems on one screen: `file:line:col CODE: what is wrong. What to do.`, each with its source line and a caret
 * when the text is given. Lines that hold a secret are not repeated.
 */
export function formatProblems(problems: readonly Problem[], sources?: ProblemSources): string {
  const secretLines = new Set(problems.filter((p) => p.code === "LITERAL_SECRET").map((p) => `${p.file}:${p.line}`));
  const splitByText = new Map<string, string[]>();
  const blocks = problems.slice(0, MOST_SHOWN).map((p) => {
    const place = p.line > 0 ? `${shown(p.file)}:${p.line}:${p.col}` : shown(p.file);
    const head = `${place} ${p.code}: ${sentence(p.message)} ${sentence(p.hint)}`.trimEnd();
    const text = typeof sources === "string" ? sources : sources?.[p.file];
    if (text === undefined || p.line < 1 || secretLines.has(`${p.file}:${p.line}`)) return head;
    let lines = splitByText.get(p.file);
    if (!lines) splitByText.set(p.file, (lines = text.split(/\r?\n/)));
    const excerpt = caretLines(lines[p.line - 1] ?? "", p.line, p.col);
    return excerpt ? `${head}\n${excerpt}` : head;
  });
  if (problems.length > MOST_SHOWN) blocks.push(`... and ${problems.length - MOST_SHOWN} more`);
  return blocks.join("\n");
}

const sentence = (text: string): string => (text === "" || /[.?!:]$/.test(text) ? text : `${text}.`);

// A value after a key that looks like a secret's is never repeated on a terminal, whatever the problem on its line is.
const SECRET_VALUE = /((?:^|[\s{,"'_-])(?:[\w-]*[_-])?(?:api[-_]?key|key|token|secret|password|passwd)["']?\s*[:=]\s*)(?!\d+\b)\S.*$/i;

function caretLines(line: string, number: number, col: number): string {
  // One cell for each UTF-16 unit keeps the caret in its place.
  const safe = line
    .replace(/[\t\u2028\u2029]/g, " ")
    .replace(/[\p{Cc}\p{Cf}]/gu, "?")
    .replace(SECRET_VALUE, "$1***");
  if (safe.trim() === "") return "";
  const from = col > WIDEST_SOURCE_LINE - 20 ? col - 40 : 0;
  const cut = safe.slice(from, from + WIDEST_SOURCE_LINE);
  const gutter = `  ${number} | `;
  const lead = from > 0 ? "..." : "";
  return `${gutter}${lead}${cut}\n${" ".repeat(gutter.length + lead.length + Math.max(0, col - 1 - from))}^`;
}
