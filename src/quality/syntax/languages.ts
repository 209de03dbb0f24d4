/** How a language is parsed: a grammar of tree-sitter or of Lezer, or a parser of its own. */
export type Language =
  | {
      by: "tree-sitter";
      name: string;
      grammar: "bash" | "go" | "java" | "javascript" | "php" | "python" | "ruby" | "rust" | "tsx" | "typescript";
    }
  | { by: "lezer"; name: string; grammar: "css" | "html" }
  | { by: "c"; name: string }
  | { by: "json" | "jsonc" | "yaml" | "toml"; name: string };

const bash: Language = { by: "tree-sitter", name: "Bash", grammar: "bash" };
const javascript: Language = { by: "tree-sitter", name: "JavaScript", grammar: "javascript" };
const typescript: Language = { by: "tree-sitter", name: "TypeScript", grammar: "typescript" };
const python: Language = { by: "tree-sitter", name: "Python", grammar: "python" };
const ruby: Language = { by: "tree-sitter", name: "Ruby", grammar: "ruby" };
const c: Language = { by: "c", name: "C" };
const cpp: Language = { by: "c", name: "C++" };
const jsonc: Language = { by: "jsonc", name: "JSON" };
const yaml: Language = { by: "yaml", name: "YAML" };
const html: Language = { by: "lezer", name: "HTML", grammar: "html" };

const byEnding: Readonly<Record<string, Language>> = {
  js: javascript,
  mjs: javascript,
  cjs: javascript,
  jsx: javascript,
  ts: typescript,
  mts: typescript,
  cts: typescript,
  tsx: { by: "tree-sitter", name: "TSX", grammar: "tsx" },
  py: python,
  pyi: python,
  go: { by: "tree-sitter", name: "Go", grammar: "go" },
  rs: { by: "tree-sitter", name: "Rust", grammar: "rust" },
  java: { by: "tree-sitter", name: "Java", grammar: "java" },
  rb: ruby,
  rake: ruby,
  gemspec: ruby,
  php: { by: "tree-sitter", name: "PHP", grammar: "php" },
  sh: bash,
  bash,
  c,
  h: cpp,
  cc: cpp,
  cpp,
  cxx: cpp,
  hh: cpp,
  hpp: cpp,
  hxx: cpp,
  css: { by: "lezer", name: "CSS", grammar: "css" },
  html,
  htm: html,
  json: { by: "json", name: "JSON" },
  jsonc,
  yaml,
  yml: yaml,
  toml: { by: "toml", name: "TOML" },
};

const byName: Readonly<Record<string, Language>> = { Gemfile: ruby, Rakefile: ruby, Podfile: ruby };

/** JSON whose readers take comments and commas too many. */
const withComments = /(?:^|\/)(?:\.vscode\/[^/]+|(?:ts|js)config[^/]*|\.?devcontainer|\.eslintrc|api-extractor)\.json$/;

/** The language of a file, by its name; `undefined` when it is none that is known here. */
export function languageOf(path: string): Language | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const found =
    (Object.hasOwn(byName, name) ? byName[name] : undefined) ?? (Object.hasOwn(byEnding, ending) ? byEnding[ending] : undefined);
  return found?.by === "json" && withComments.test(path) ? jsonc : found;
}
