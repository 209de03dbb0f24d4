import type { Vocabulary } from "../config/index.ts";
import { COMMAND_WORDS } from "./vocabulary.ts";

/** The key that says what a gate is. */
export const GATE_KINDS = ["command", "files", "diff", "coverage", "schema", "regression", "syntax", "judge"] as const;
export type GateKind = (typeof GATE_KINDS)[number];

const renamed = (words: readonly string[], key: string): Record<string, string> => Object.fromEntries(words.map((w) => [w, key]));

const synonyms = {
  ...renamed(COMMAND_WORDS, "command"),
  ...renamed(["file", "exists"], "files"),
  ...renamed(["diffs", "changes", "size"], "diff"),
  ...renamed(["cover", "covers", "complete"], "coverage"),
  ...renamed(["json-schema", "jsonschema", "schemas"], "schema"),
  ...renamed(["regressions", "no-regression", "tests"], "regression"),
  ...renamed(["parse", "parses", "parseable"], "syntax"),
  ...renamed(["rubric", "review", "score", "llm-judge"], "judge"),
};

/** Of a gate of one kind: another kind's key is a gate of its own. */
export function gateWords(kind: GateKind): Vocabulary {
  const others = GATE_KINDS.filter((other) => other !== kind);
  const takesTime = kind === "command" || kind === "regression" || kind === "judge";
  return {
    of: "a gate",
    synonyms,
    elsewhere: {
      kind: `A gate's kind is its key, one of ${GATE_KINDS.join(", ")}: \`- command: npm test\` or \`- files: [a.md]\``,
      ...Object.fromEntries(others.map((other) => [other, `A gate is of one kind: write \`${other}\` as a gate of its own`])),
      "best-of": "Write it in the step, beside `prompt`: `best-of: 3`",
      ...(takesTime ? {} : { timeout: "Only gates that run a command, and judges, have it" }),
    },
  };
}

export const diffWords: Vocabulary = {
  of: "a diff gate",
  synonyms: {
    ...renamed(["files", "most-files", "max_files", "maxFiles"], "max-files"),
    ...renamed(["lines", "most-lines", "max_lines", "maxLines"], "max-lines"),
    ...renamed(["allowed", "only", "paths", "include"], "allow"),
    ...renamed(["forbidden", "deny", "never", "exclude", "except"], "forbid"),
  },
};
export const coverageWords: Vocabulary = {
  of: "a coverage gate",
  synonyms: renamed(["allowed", "except", "also", "ignore"], "allow"),
  elsewhere: { outputs: "It looks at the step's `outputs`", files: "It looks at the step's `outputs`" },
};
export const schemaWords: Vocabulary = {
  of: "a schema gate",
  synonyms: { ...renamed(["file", "path", "paths"], "files"), ...renamed(["json-schema", "with", "is"], "schema") },
};
export const regressionWords: Vocabulary = {
  of: "a regression gate",
  synonyms: {
    ...renamed(COMMAND_WORDS, "command"),
    ...renamed(["reporter", "type"], "format"),
    ...renamed(["report-file", "reports", "file", "files", "output"], "report"),
  },
  elsewhere: { timeout: "Write it beside `regression`", name: "Write it beside `regression`" },
};
export const syntaxWords: Vocabulary = {
  of: "a syntax gate",
  synonyms: { ...renamed(["paths", "file", "only", "include"], "files"), ...renamed(["exclude", "ignore", "skip"], "except") },
};
export const judgeWords: Vocabulary = {
  of: "a judge gate",
  synonyms: {
    ...renamed(["criteria", "criterion", "prompt", "question", "for"], "rubric"),
    ...renamed(["judge", "models", "model", "agents", "agent", "by"], "judges"),
    ...renamed(["escalate", "tie-breaker", "arbiter", "then"], "stronger"),
    ...renamed(["pass-at", "min", "minimum", "threshold", "score", "at_least", "atLeast"], "at-least"),
  },
  elsewhere: { timeout: "Write it beside `judge`", name: "Write it beside `judge`" },
};
export const criterionWords: Vocabulary = {
  of: "a criterion",
  synonyms: {
    ...renamed(["criterion", "description", "question", "for"], "text"),
    ...renamed(["name", "key"], "id"),
    ...renamed(["pass-at", "min", "minimum", "threshold", "at_least", "atLeast"], "at-least"),
  },
};
