import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bracketFault } from "./c-brackets.ts";
import { checkSyntax, introduced, parseText } from "./check.ts";
import type { Fault } from "./fault.ts";

/** One whole text of each language, and the same one broken in the line given. */
const samples: readonly [path: string, whole: string, broken: string, line: number][] = [
  ["a.js", "export const a = (b) => ({ b });\n", "export const a = (b) => {\n  return [1, 2;\n};\n", 2],
  ["a.jsx", "export const A = () => <p>{a}</p>;\n", "const B = 1;\nexport const A = () => <p>{a}</div;\n", 2],
  ["a.ts", "type A<T> = { a: T };\nexport const a: A<1> = { a: 1 };\n", "const a: number = ;\n", 1],
  ["a.tsx", "export const A = (p: { a: string }) => <b>{p.a}</b>;\n", "export const A = (p: { a: string }) => <b>{p.a</b>;\n", 1],
  ["a.py", "def f(a):\n    return [a]\n", "a = 1\ndef f(a:\n    return [a]\n", 2],
  ["a.go", "package a\n\nfunc F() int { return 1 }\n", "package a\n\nfunc F( int { return 1 }\n", 3],
  ["a.rs", "fn f(a: &str) -> usize { a.len() }\n", "fn f(a: &str) -> usize { a.len( }\n", 1],
  ["A.java", "class A { int f() { return 1; } }\n", "class A {\n  int f() { return 1 }\n}\n", 2],
  ["a.c", "#define X(a) a {\nint f(void) { return 1; }\n", "int f(void) {\n  if (1) {\n  return 1;\n}\n", 1],
  ["a.cpp", 'auto s = R"x({)x";\ntemplate <class T> T f(T t) { return t; }\n', "int f() { return (1; }\n", 1],
  ["a.rb", "def f(a)\n  a.map { |x| x }\nend\n", "def f(a)\n  a.map { |x| x\nend\n", 2],
  ["a.php", "<?php\nfunction f(int $a) { return [$a]; }\n", "<?php\nfunction f(int $a) { return [$a; }\n", 2],
  ["a.sh", 'if [ -f a ]; then\n  echo "$(cat a)"\nfi\n', "echo a\nif [ -f a ]; then\n  echo a\n", 3],
  ["a.json", '{ "a": [1, 2] }\n', '{ "a": [1, 2 }\n', 1],
  ["a.yaml", "a: [1, 2]\nb: { c: d }\n---\nmore: yes\n", "a: 1\nb: [1, 2\nc: 3\n", 3],
  ["a.toml", "[a]\nb = 1\n", "[a]\nb = \n", 2],
  ["a.html", "<ul><li>one<li>two</ul><br>\n", "<html><body>\n<p>one</p>\n<di", 3],
  ["a.css", "a:hover { color: red; }\n", "a { color: red;\nb { } }\n} c\n", 3],
];

describe("every language that is promised", () => {
  test.each(samples)("%s: whole it passes, broken it is refused at its line", async (path, whole, broken, line) => {
    expect(await checkSyntax(path, whole)).toBeUndefined();
    const fault = await checkSyntax(path, broken);
    expect({ line: fault?.line, excerpt: fault?.excerpt }).toEqual({ line, excerpt: broken.split("\n")[line - 1]?.trim() });
    expect(fault?.message).toMatch(/\S/);
  });

  test("the sources of this folder can be parsed, and none of them cut off in a bracket", async () => {
    for (const name of ["check.ts", "languages.ts", "c-brackets.ts", "tree-sitter.ts"]) {
      const text = readFileSync(new URL(name, import.meta.url), "utf8");
      expect(await checkSyntax(name, text), name).toBeUndefined();
      expect(await checkSyntax(name, text.slice(0, text.lastIndexOf("}"))), name).toBeDefined();
    }
  });
});

describe("what is no fault", () => {
  test.each([
    ["a language that is not known", "a.zig", "fn ((("],
    ["Jinja in YAML", "a.yaml", "{% if x %}\na: [\n{% endif %}\n"],
    ["Helm in YAML", "templates/a.yaml", "a:\n  {{- range .Values.x }}\n"],
    ["comments in tsconfig.json", "packages/a/tsconfig.build.json", '{ // why\n "a": 1, }\n'],
    ["tags of CloudFormation", "a.yml", "a: !Ref B\n"],
    ["parts of C that open one bracket twice", "a.c", "#ifdef A\nint f(int a) {\n#else\nint f(void) {\n#endif\n  return 1;\n}\n"],
    ["macros in C", "a.h", "#define EACH(x) for (x) {\n#define END }\nBEGIN_DECLS\nint f (int a) __attribute__((pure));\nEND_DECLS\n"],
    ["an apostrophe in a comment of C", "a.c", "/* don't\n * ( */\nint a; // isn't {\n"],
    ["a page whose elements are left open", "a.html", "<p>one<p>two<td>"],
    ["nothing at all", "a.py", ""],
    ["a byte order mark", "a.json", "\uFEFF{}"],
  ])("%s", async (_, path, text) => expect(await checkSyntax(path, text)).toBeUndefined());

  test("a text that is too large is said to be unchecked, not whole", async () => {
    expect(await parseText("a.js", `${"a;".repeat(300_000)}(`)).toEqual({ kind: "unchecked", because: "size" });
    expect(await parseText("a.js", "a\0(")).toEqual({ kind: "unchecked", because: "binary" });
  });
});

test.each([
  [
    "the first branch of a condition counts",
    "#if A\nint f(int a) {\n#elif B\nint f(long a) {\n#else\nint f(void) {\n#endif\n}\n",
    undefined,
  ],
  ["conditions in conditions", "#if A\n#ifdef B\n{\n#else\n{ {\n#endif\n}\n#else\n( ( (\n#endif\n", undefined],
  ["directives and their continued lines do not count", "#define X { ( \\\n  [ {\nint a;\n", undefined],
  ["texts, characters and comments do not count", `char *a = "\\"{", b = '{', c = '\\''; // {\n/* ( */ auto d = R"(}")";`, undefined],
  ["what is never closed", "int f(void) {\n  if (1) {\n}\n", 1],
  ["what closes nothing", "int f(void) {\n}\n}\n", 3],
  ["what closes another one", "int f(void) {\n  g(1];\n}\n", 2],
])("brackets of C: %s", (_, text, line) => expect(bracketFault(text)?.line).toBe(line));

test("a merge conflict is named as one, whatever the language", async () => {
  const text = "int a;\n<<<<<<< ours\nint b;\n=======\nint c;\n>>>>>>> theirs\n";
  for (const path of ["a.c", "a.py", "a.yaml"])
    expect(await checkSyntax(path, text)).toEqual({ line: 2, message: "a merge conflict was left", excerpt: "<<<<<<< ours" });
});

test("brackets in brackets, deeper than a parser can follow, end nobody's judging", { timeout: 60_000 }, async () => {
  for (const [path] of samples)
    for (const text of ["[".repeat(20_000), "a(".repeat(190), "- ".repeat(3000), "<div>".repeat(500)]) {
      const parsed = await parseText(path, text);
      expect(parsed.kind === "parsed" || parsed.because === "depth", path).toBe(true);
    }
  // Whatever ran over before, the next text is parsed.
  for (const [path, whole] of samples) expect(await checkSyntax(path, whole), path).toBeUndefined();
});

describe("what an attempt introduced", () => {
  const faults = (...excerpts: string[]): Fault[] => excerpts.map((excerpt, i) => ({ line: i + 1, message: "x", excerpt }));

  test("a file that was broken and is no worse is not held against it, wherever the fault has moved", async () => {
    const before = await parseText("a.py", "x = (1,\ny = 2\n");
    const after = await parseText("a.py", "# more\n\nx = (1,\ny = 2\n");
    if (before.kind !== "parsed" || after.kind !== "parsed") throw new Error("not parsed");
    expect(before.faults.length).toBeGreaterThan(0);
    expect(introduced(before.faults, after.faults)).toEqual([]);
  });

  test("of a file that became worse, the new fault is told", () => {
    expect(introduced(faults("old"), faults("old", "new"))).toEqual([{ line: 2, message: "x", excerpt: "new" }]);
    expect(introduced([], faults("new"))).toHaveLength(1);
  });

  test("no more faults than before: none introduced; more: at least one", () => {
    const some = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 6 }).map((list) => faults(...list));
    fc.assert(
      fc.property(some, some, (before, after) => {
        const found = introduced(before, after).length;
        return after.length > before.length ? found > 0 && found <= after.length : found === 0;
      }),
    );
  });
});

test("no text makes a parser throw, or take long", { timeout: 60_000 }, async () => {
  const piece = fc.constantFrom(
    "(",
    ")",
    "{",
    "}",
    "'",
    '"',
    "`",
    "<",
    ">",
    "/*",
    "#if",
    "\n",
    "  ",
    "def f",
    "a: ",
    "[",
    "$",
    "\\",
    "é",
    "=>",
    "\r",
  );
  const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 8 })), { maxLength: 40 }).map((list) => list.join(""));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...samples.map(([path]) => path)), text, async (path, broken) => {
      const fault = await checkSyntax(path, broken);
      const lines = broken.split("\n").length;
      expect(fault === undefined || (fault.line >= 1 && fault.line <= lines)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
