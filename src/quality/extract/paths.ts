/** Extensions that make a lone word with a dot a file's name. `matplotlib.pyplot` and `self.items` have none of these. */
const EXTENSIONS = new Set(
  (
    "ada adb ads asm astro awk bash bat bib c cc cfg cjs clj cljs cmake cmd coffee conf config cpp cr cs csproj css csv ctl cts cu cxx d dart " +
    "desktop diff dockerfile ejs el elm env erb erl ex exs f f90 fish fs fsx gemspec gitignore glsl go gql gradle graphql groovy h haml hbs hcl " +
    "hh hpp hrl hs htm html hx hxx ics ini ipynb j2 java jinja jinja2 jl js json json5 jsonc jsonl jsx kt kts less lisp lock log lua m mak " +
    "markdown md mdx mjs mk ml mli mm mod mts mustache nim nix njk nu pas patch php pl plist pm po prisma properties proto ps1 psm1 pug py " +
    "pyi pyx r rake rb re res rkt rs rst sass sbt scala scm scss service sh sln sol sql styl sum sv svelte svg swift t tcl template tex " +
    "tf tfvars thrift toml ts tsv tsx twig txt v vb vbproj vert vhd vim vue wasm wat webmanifest wxml wxss xaml xml xsd xsl yaml yml zig zsh"
  ).split(" "),
);

const NAMES = new Set(
  (
    "makefile gnumakefile dockerfile containerfile jenkinsfile vagrantfile procfile gemfile rakefile brewfile justfile caddyfile podfile " +
    "pipfile license licence readme changelog authors contributing notice codeowners cmakelists.txt build workspace go.mod go.sum " +
    ".gitignore .gitattributes .gitmodules .dockerignore .npmignore .npmrc .nvmrc .editorconfig .env .env.example .env.local .eslintrc .prettierrc " +
    ".prettierignore .eslintignore .babelrc .browserslistrc .flake8 .pylintrc .rubocop.yml .bashrc .zshrc .profile .htaccess .python-version"
  ).split(" "),
);

/** Products that are written like a file. Only a folder or the tree itself makes them one. */
const PRODUCTS =
  /^(?:node|vue|next|nuxt|react|angular|express|three|d3|chart|discord|moment|ember|backbone|p5|socket|nest|deno|alpine|asp|ml)\.(?:js|io|net)$/i;

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/;

export type PlacedPath = { ok: true; path: string } | { ok: false; reason: string };

/** The one gate every path of a reply passes: relative, with `/`, no `..`, not git's own. */
export function placePath(raw: string): PlacedPath {
  const no = (reason: string): PlacedPath => ({ ok: false, reason });
  if (UNPRINTABLE.test(raw)) return no("it contains characters that do not print");
  if (raw.includes("\\")) return no("it contains a backslash; write / between folders");
  if (raw.startsWith("/")) return no("it is absolute; write it relative to the top of the work tree");
  if (/^[A-Za-z][\w+.-]+:\/\//.test(raw)) return no("it is an address, not a path");
  if (raw.endsWith("/")) return no("it names a folder");
  const parts = raw.split("/").filter((part) => part !== "" && part !== ".");
  const [first] = parts;
  if (first === undefined) return no("it names no file");
  if (first.startsWith("~")) return no("it begins in a home folder; write it relative to the top of the work tree");
  if (/^[A-Za-z]:/.test(first)) return no("it names a drive; write it relative to the top of the work tree");
  if (parts.includes("..")) return no("it climbs with ..; write it relative to the top of the work tree");
  // Trailing dots and spaces vanish, and case folds, on some file systems; git~1 is .git by its short name.
  if (parts.some((part) => /^(?:\.git|git~\d+)[. ]*(?::.*)?$/i.test(part.normalize("NFKC")))) return no("it lies in git's own folder");
  if (parts.some((part) => part.length > 255) || raw.length > 2000) return no("it is too long");
  return { ok: true, path: parts.join("/") };
}

/** Whether `text` is written like a file's path. Says nothing about whether it may be used: `placePath` does. */
export function looksLikePath(text: string, has?: (path: string) => boolean): boolean {
  if (text === "" || text.length > 500 || /[\s"'`<>|*?,;=]/.test(text) || /^[A-Za-z][\w+.-]*:\/\//.test(text)) return false;
  const parts = text.split(/[/\\]/);
  const name = parts.at(-1) ?? "";
  if (name === "" || name === "." || name === "..") return false;
  if (has && !text.startsWith("/") && has(text.replace(/^\.\//, ""))) return true;
  if (/[()]$/.test(name)) return false;
  // Without a known extension, too: such a path is to be refused by name, not passed over.
  if (/^(?:~[\w-]*\/|\.\.\/|\.git\/|[A-Za-z]:[\\/])\S/i.test(text)) return true;
  const lower = name.toLowerCase();
  if (NAMES.has(lower) && (name !== lower || parts.length > 1 || name.includes(".") || lower.endsWith("file"))) return true;
  const dot = name.lastIndexOf(".");
  const extension = name.slice(dot + 1);
  if (dot <= 0 || extension === "") return false;
  if (parts.length > 1) return /^[A-Za-z0-9_]{1,12}$/.test(extension) && !/^\d+$/.test(extension);
  return EXTENSIONS.has(extension.toLowerCase()) && /^[\w@+.$()[\]-]+$/.test(name) && !PRODUCTS.test(name);
}

/** Of a line that names a file. Longer ones are not looked at. */
const LONGEST_NAMING = 600;

const LABEL =
  /^(?:(?:new|updated|modified|create|update|add|edit|modify|the)\s+)?(?:file\s*(?:\d+\s*)?(?:name|path)?|path|in|create|update|add|new|modify|edit)\s*[:\uff1a]\s*/i;

/**
 * The path a line of its own is, bare or decorated: `**src/a.ts**`, `` ### 1. `src/a.ts`: ``, `File: src/a.ts (new)`.
 * A sentence that mentions a path is none.
 */
export function pathOfLine(line: string, has?: (path: string) => boolean): string | undefined {
  let text = line.trim();
  if (text.length > LONGEST_NAMING) return undefined;
  text = text.replace(/^(?:#{1,6}\s+|>\s*|[-*+]\s+|\d{1,3}[.)]\s+)+/, "").replace(/\s+#+$/, "");
  text = bare(text).replace(LABEL, "");
  text = bare(text).replace(/\s+\((?:new|new file|updated?|modified|created?|edited|continued|complete|full)\)$/i, "");
  text = bare(text);
  return looksLikePath(text, has) || /^\/(?:[\w.-]+\/)+[\w.-]+$/.test(text) ? text : undefined;
}

/** Without emphasis, code marks, quotes and the colon at its end. */
function bare(text: string): string {
  let before: string;
  let now = text.trim();
  do {
    before = now;
    now = now.replace(/[:\uff1a]$/, "").trim();
    const inner = /^(\*\*\*|\*\*|\*|__|``|`|"|'|\[)(.+?)(\*\*\*|\*\*|\*|__|``|`|"|'|\])$/.exec(now);
    const [, open, middle, close] = inner ?? [];
    if (middle !== undefined && (open === close || (open === "[" && close === "]"))) now = middle.trim();
  } while (now !== before);
  return now;
}

/** The path a first line is when it is nothing but a comment with a path: `// src/a.ts`, `<!-- index.html -->`, `# File: a.py`. */
export function pathOfComment(line: string, has?: (path: string) => boolean): string | undefined {
  if (line.length > LONGEST_NAMING) return undefined;
  const comment = /^\s*(?:\/\/+|#+|--|;+|%+|\/\*+|<!--|\{\/\*|"""|''')\s*(.*?)\s*(?:\*\/\}?|-->|"""|''')?\s*$/.exec(line)?.[1];
  if (comment === undefined) return undefined;
  const text = bare(bare(comment).replace(LABEL, ""));
  return looksLikePath(text, has) ? text : undefined;
}

/** The path in a fence's info string: `ts:src/a.ts`, `src/a.ts`, `ts src/a.ts`, `ts title="src/a.ts"`. */
export function pathOfInfo(info: string, has?: (path: string) => boolean): { path: string } | { citation: true } | undefined {
  const text = info.trim();
  if (text.length > LONGEST_NAMING) return undefined;
  // `12:30:src/a.ts` cites lines that are there already.
  if (/^\d+:\d+:\S+$/.test(text)) return { citation: true };
  const attribute =
    /(?:^|[\s{,])(?:title|file|filename|file_name|filepath|file_path|path|name|src)\s*[=:]\s*(?:"([^"]+)"|'([^']+)'|([^\s}"',]+))/i.exec(
      text,
    );
  const named = attribute?.[1] ?? attribute?.[2] ?? attribute?.[3];
  if (named !== undefined && looksLikePath(named, has)) return { path: named };
  for (const word of text.split(/\s+/)) {
    const clean = word.replace(/^[({[]+|[)}\],]+$/g, "");
    const afterColon = /^[\w+#.-]*:(.+)$/.exec(clean)?.[1];
    const drive = /^[A-Za-z]:[\\/]/.test(clean);
    if (afterColon !== undefined && !drive && looksLikePath(afterColon, has)) return { path: afterColon };
    if (looksLikePath(clean, has) && !/^[a-z+#]+$/.test(clean)) return { path: clean };
    if (clean !== word && looksLikePath(word, has)) return { path: word };
  }
  return undefined;
}
