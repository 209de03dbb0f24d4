import { bracketFault } from "./c-brackets.ts";
import { faultAt, type Fault } from "./fault.ts";
import { languageOf, type Language } from "./languages.ts";
import { lezerFaults, SOMETHING_MISSING } from "./lezer.ts";
import { treeSitterFaults } from "./tree-sitter.ts";

/** Longer ones are generated, and would hold up everything else of the process while they are parsed. */
const LONGEST_CHARS = 512 * 1024;

/** Parsers of brackets in brackets take ever longer, and some run over. No text that people write comes near. */
const DEEPEST = 200;

/** How deep brackets stand in brackets, at most; those in texts and comments count too. */
function depthOf(text: string): number {
  let deepest = 0;
  let depth = 0;
  for (const [bracket] of text.matchAll(/[()[\]{}]/g)) {
    depth = "([{".includes(bracket) ? depth + 1 : Math.max(0, depth - 1);
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

/** Marks of Jinja, Helm, ERB, Handlebars: the file becomes its language only when it is filled in. */
const TEMPLATE = /\{\{|\{%|<%|<\?php|\$\{\{/;
const MAY_BE_TEMPLATE: ReadonlySet<Language["name"]> = new Set(["HTML", "YAML", "JSON", "TOML", "Bash", "CSS"]);

const CONFLICT = /^<{7} .*\r?\n(?:.*\r?\n)*?={7}\r?\n(?:.*\r?\n)*?>{7} /m;

/** What is wrong, in the order of the text; or why it cannot be told. */
export type Parsed =
  | { kind: "parsed"; language: string; faults: Fault[] }
  | { kind: "unchecked"; because: "language" | "size" | "depth" | "template" | "binary" };

/** Parses a text as the language its path names. */
export async function parseText(path: string, text: string): Promise<Parsed> {
  const language = languageOf(path);
  if (!language) return { kind: "unchecked", because: "language" };
  if (text.length > LONGEST_CHARS) return { kind: "unchecked", because: "size" };
  if (text.includes("\0")) return { kind: "unchecked", because: "binary" };
  const conflict = CONFLICT.exec(text);
  if (conflict) {
    const fault = faultAt(text, conflict.index + 1, "a merge conflict was left");
    return { kind: "parsed", language: language.name, faults: [fault] };
  }
  if (MAY_BE_TEMPLATE.has(language.name) && TEMPLATE.test(text)) return { kind: "unchecked", because: "template" };
  if (depthOf(text) > DEEPEST) return { kind: "unchecked", because: "depth" };
  try {
    return { kind: "parsed", language: language.name, faults: await faultsOf(text, language) };
  } catch (error) {
    // Deep in another way than by brackets, or garbage that takes for ever: the parser gave up.
    if (error instanceof RangeError) return { kind: "unchecked", because: "depth" };
    throw error;
  }
}

/** Parsers are loaded when the first text of theirs comes. */
async function faultsOf(text: string, language: Language): Promise<Fault[]> {
  switch (language.by) {
    case "tree-sitter":
      return treeSitterFaults(text, language.grammar);
    case "lezer": {
      const faults = await lezerFaults(text, language.grammar);
      return language.grammar === "html" ? faults.filter((fault) => !isForgiven(fault, text)) : faults;
    }
    case "c": {
      // Before its preprocessor has run, C can be parsed by nobody: only what two ways of looking agree on is a fault.
      const fault = bracketFault(text);
      return fault && (await lezerFaults(text, "cpp")).length > 0 ? [fault] : [];
    }
    case "json":
      return (await import("./data-formats.ts")).jsonFaults(text, { comments: false });
    case "jsonc":
      return (await import("./data-formats.ts")).jsonFaults(text, { comments: true });
    case "yaml":
      return (await import("./data-formats.ts")).yamlFaults(text);
    case "toml":
      return (await import("./data-formats.ts")).tomlFaults(text);
    default:
      return language satisfies never;
  }
}

/** Browsers close what a page leaves open; only a page that ends before its own end was cut. */
const isForgiven = (fault: Fault, text: string): boolean =>
  fault.message === SOMETHING_MISSING && !(/<html[\s>]/i.test(text) && !/<\/html\s*>/i.test(text));

/** The first thing that keeps a file from being parsed as the language its path names. `undefined`: nothing, or it cannot be told. */
export async function checkSyntax(path: string, text: string): Promise<Fault | undefined> {
  const parsed = await parseText(path, text);
  return parsed.kind === "parsed" ? parsed.faults[0] : undefined;
}

/** Those of `after` that are new: none when there are no more than before. */
export function introduced(before: readonly Fault[], after: readonly Fault[]): Fault[] {
  const more = after.length - before.length;
  if (more <= 0) return [];
  const known = before.map((fault) => fault.excerpt);
  const fresh = after.filter(({ excerpt }) => {
    const at = known.indexOf(excerpt);
    if (at !== -1) known.splice(at, 1);
    return at === -1;
  });
  return fresh.length > 0 ? fresh : after.slice(-more);
}
