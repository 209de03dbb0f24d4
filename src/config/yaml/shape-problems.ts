import { z } from "zod";
import { nearest } from "./nearest.ts";
import type { Problem, ReadingCode } from "./problem.ts";
import { describeValue, named, shown } from "./shown.ts";
import type { Path, YamlSource } from "./yaml-source.ts";

/** What is known of the keys a map does not have. */
export interface Vocabulary {
  /** What it is called in messages, e.g. `a step`. */
  of: string;
  /** Keys that come in a later version. */
  later?: readonly string[];
  /** Words people use for one of our keys: `run` -> `command`. */
  synonyms?: Readonly<Record<string, string>>;
  /** Keys that belong elsewhere, each with the sentence that says where. */
  elsewhere?: Readonly<Record<string, string>>;
  /** Keys whose value is a secret. */
  literalSecrets?: { pattern: RegExp; hint: string };
}

interface KeyRemark {
  key: string;
  code: ReadingCode;
  message: string;
  hint: string;
}

const REMARKS = "remarks:";
const EXPECTED = "expected ";
const HINT = "hint:";
/** So many choices are said once more in the hint. */
const FEW = 5;

/** A map with exactly these keys; others are answered from the vocabulary, then by the nearest known key. */
export function keyed<S extends z.core.$ZodLooseShape>(shape: S, vocabulary: Vocabulary): z.ZodObject<S, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    // zod keeps a message of each issue and nothing else that is ours: the remarks travel in it.
    error: (issue) =>
      issue.code === "unrecognized_keys" ? REMARKS + JSON.stringify(issue.keys.map((key) => remarkOn(key, known, vocabulary))) : undefined,
  });
}

/** Maps told apart by the text at `key`, such as `executor: chat`. Kinds in `later` are answered as not supported yet. */
export function kinds<const O extends readonly [z.ZodObject, ...z.ZodObject[]]>(
  key: string,
  options: O,
  of: string,
  later: readonly string[],
) {
  return z.discriminatedUnion(key, options as never, {
    error: (issue) => {
      if (issue.code !== "invalid_union") return undefined;
      const kind = (issue.input as Record<string, unknown>)[key];
      return typeof kind === "string" && later.includes(kind) ? REMARKS + JSON.stringify([comesLater(kind, of)]) : undefined;
    },
  }) as unknown as z.ZodDiscriminatedUnion<O>;
}

/** For unions of simple types: the error says what was expected, e.g. `a duration such as 30s`. */
export const expecting = (what: string): { error: () => string } => ({ error: () => EXPECTED + what });

/** One of these words. `hints`: what is said to words that people write there and that belong elsewhere. */
export const oneOf = <const O extends readonly [string, ...string[]]>(options: O, hints: Readonly<Record<string, string>>) =>
  z.enum(options, {
    error: ({ input }) => (typeof input === "string" && Object.hasOwn(hints, input) ? HINT + hints[input] : undefined),
  });

/** Refuses a value inside a `transform`, with a code of ours. */
export function refuse(ctx: z.core.$RefinementCtx, code: ReadingCode, message: string, hint: string, path: PropertyKey[] = []): never {
  ctx.addIssue({ code: "custom", message, path, params: { code, hint } });
  return z.NEVER;
}

const comesLater = (key: string, of: string): KeyRemark => ({
  key,
  code: "NOT_SUPPORTED_YET",
  message: `${named(key)} in ${of} is not supported yet`,
  hint: "Remove it; a later version of Stepfall brings it",
});

function remarkOn(key: string, known: readonly string[], vocabulary: Vocabulary): KeyRemark {
  const { of, later = [], synonyms = {}, elsewhere = {}, literalSecrets } = vocabulary;
  if (later.includes(key)) return comesLater(key, of);
  const message = `${named(key)} is not a key of ${of}`;
  if (literalSecrets?.pattern.test(key)) return { key, code: "LITERAL_SECRET", message, hint: literalSecrets.hint };
  if (Object.hasOwn(elsewhere, key)) return { key, code: "UNKNOWN_KEY", message, hint: elsewhere[key] ?? "" };
  const meant = Object.hasOwn(synonyms, key) ? synonyms[key] : nearest(key, known);
  if (meant !== undefined) return { key, code: "UNKNOWN_KEY", message, hint: `Did you mean ${named(meant)}?` };
  const near = nearest(key, later);
  if (near !== undefined)
    return { key, code: "NOT_SUPPORTED_YET", message: `${message}; ${named(near)} is not supported yet`, hint: "Remove it" };
  return { key, code: "UNKNOWN_KEY", message, hint: `Keys here: ${known.join(", ")}` };
}

/** zod's issues as problems with places. `base`: path of the parsed value in the source. */
export function shapeProblems(source: YamlSource, base: Path, error: z.ZodError): Problem<ReadingCode>[] {
  return fromIssues(source, base, error.issues);
}

function fromIssues(source: YamlSource, base: Path, issues: readonly z.core.$ZodIssue[]): Problem<ReadingCode>[] {
  // A key that is merely misspelt would be reported as unknown and as missing.
  const withUnknownKeys = new Set(issues.filter((i) => i.code === "unrecognized_keys").map((i) => JSON.stringify(i.path)));
  return issues.flatMap((issue) => {
    const isMissing = issue.path.length > 0 && !source.has([...base, ...issue.path]);
    if (isMissing && withUnknownKeys.has(JSON.stringify(issue.path.slice(0, -1)))) return [];
    return fromIssue(source, [...base, ...issue.path], issue, isMissing);
  });
}

function fromIssue(source: YamlSource, path: Path, issue: z.core.$ZodIssue, isMissing: boolean): Problem<ReadingCode>[] {
  const found = describeValue(source.valueAt(path));
  const one = (code: ReadingCode, message: string, hint: string): Problem<ReadingCode>[] => [
    source.problem(code, path, `${dotted(path)}${message}`, hint),
  ];
  if (isMissing) return [source.problem("MISSING_KEY", path, `${named(String(path.at(-1)))} is missing${inside(path)}`, "Add it")];
  switch (issue.code) {
    case "unrecognized_keys":
      return remarks(issue).map((r) => source.problem(r.code, [...path, r.key], `${dotted(path)}${r.message}`, r.hint, "key"));
    case "invalid_type":
      return one("WRONG_TYPE", `expected ${typeWord(issue.expected)}, found ${found}`, mendType(issue.expected, source.valueAt(path)));
    case "invalid_union":
      return fromUnion(source, path, issue, found);
    case "custom": {
      const params = issue.params as { code?: ReadingCode; hint?: string } | undefined;
      return one(params?.code ?? "BAD_VALUE", issue.message, params?.hint ?? "");
    }
    case "invalid_key":
      return [
        source.problem(
          "BAD_ID",
          path,
          `${named(String(path.at(-1)))} cannot be a name`,
          "Use lower-case letters, digits, `-` and `_`, beginning with a letter or digit, at most 64",
          "key",
        ),
      ];
    case "invalid_value":
      return one(
        "BAD_VALUE",
        `expected one of ${issue.values.map(String).join(", ")}; found ${found}`,
        issue.message.startsWith(HINT) ? issue.message.slice(HINT.length) : suggestion(source.valueAt(path), issue.values.map(String)),
      );
    case "too_small":
      return one(
        "BAD_VALUE",
        issue.origin === "string" || issue.origin === "array" ? "is empty" : `must be at least ${issue.minimum}, found ${found}`,
        issue.origin === "string" || issue.origin === "array" ? "Fill it in or remove the key" : `Write ${issue.minimum} or more`,
      );
    case "too_big":
      return issue.origin === "number" || issue.origin === "int"
        ? one("BAD_VALUE", `must be at most ${issue.maximum}, found ${found}`, `Write ${issue.maximum} or less`)
        : one("BAD_VALUE", `is too long: at most ${issue.maximum} are allowed`, "Shorten it");
    case "invalid_format":
      return one(
        "BAD_VALUE",
        `${found} is not of the right form`,
        issue.message.startsWith("Invalid") ? "Use letters, digits, `-`, `_` and `.`" : issue.message,
      );
    case "not_multiple_of":
    case "invalid_element":
      return one("BAD_VALUE", `${found} is not allowed`, "Correct it");
    default:
      issue satisfies never;
      return one("BAD_VALUE", "is not allowed", "Correct it");
  }
}

function fromUnion(source: YamlSource, path: Path, issue: z.core.$ZodIssueInvalidUnion, found: string): Problem<ReadingCode>[] {
  if (issue.message.startsWith(REMARKS))
    return remarks(issue).map((r) => source.problem(r.code, path, `${dotted(path)}${r.message}`, r.hint));
  const options = issue.errors.length === 0 && "options" in issue ? (issue.options as unknown[]).map(String) : [];
  if (options.length > 0) {
    return [
      source.problem(
        "BAD_VALUE",
        path,
        `${dotted(path)}expected one of ${options.join(", ")}; found ${found}`,
        suggestion(source.valueAt(path), options),
      ),
    ];
  }
  const isAboutType = (i: z.core.$ZodIssue): boolean => i.path.length === 0 && (i.code === "invalid_type" || i.code === "invalid_union");
  const deeper = issue.errors.filter((branch) => !branch.some(isAboutType));
  // The branch that was meant is the one that knows the keys, then the one that complains least.
  const strange = (branch: readonly z.core.$ZodIssue[]): number =>
    branch
      .filter((i) => i.path.length === 0 && i.code === "unrecognized_keys")
      .reduce((sum, i) => sum + ("keys" in i ? i.keys.length : 0), 0);
  const meant = deeper.toSorted((a, b) => strange(a) - strange(b) || a.length - b.length)[0];
  if (meant) return fromIssues(source, path, meant);
  const types = issue.errors.flat().flatMap((i) => (i.code === "invalid_type" ? [typeWord(i.expected)] : []));
  const expected = issue.message.startsWith(EXPECTED) ? issue.message.slice(EXPECTED.length) : [...new Set(types)].join(" or ");
  return [source.problem("WRONG_TYPE", path, `${dotted(path)}expected ${expected}, found ${found}`, `Write ${expected}`)];
}

const remarks = (issue: z.core.$ZodIssueUnrecognizedKeys | z.core.$ZodIssueInvalidUnion): KeyRemark[] =>
  issue.message.startsWith(REMARKS)
    ? (JSON.parse(issue.message.slice(REMARKS.length)) as KeyRemark[])
    : ("keys" in issue ? issue.keys : []).map((key) => ({
        key,
        code: "UNKNOWN_KEY" as const,
        message: `${named(key)} is not known here`,
        hint: "Remove it",
      }));

/** `steps.fix.timeout: `, the part of a message that says where. */
export const dotted = (path: Path): string => (path.length === 0 ? "" : `${shown(path.map(String).join("."), 100)}: `);

const inside = (path: Path): string => (path.length > 1 ? ` in ${named(path.slice(0, -1).map(String).join("."))}` : "");

function suggestion(value: unknown, options: readonly string[]): string {
  const near = typeof value === "string" ? nearest(value, options) : undefined;
  if (near) return `Did you mean ${named(near)}?`;
  return options.length > FEW ? "Write one of them" : `Write ${options.join(" or ")}`;
}

function typeWord(expected: string): string {
  const words: Record<string, string> = {
    string: "text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list",
    object: "a map",
    record: "a map",
    nonoptional: "a value",
  };
  return words[expected] ?? expected;
}

function mendType(expected: string, value: unknown): string {
  if (value === null) return "Fill it in or remove the key";
  if (expected === "string") return "Put the text in quotes";
  if (expected === "array") return "Write it as a list: `[a, b]`";
  if (expected === "boolean") return "Write true or false";
  if (expected === "object" || expected === "record") return "Write it as a map of `key: value` lines";
  return `Write ${typeWord(expected)}, without quotes`;
}
