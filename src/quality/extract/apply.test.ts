import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyEdits, refuseFaulty } from "./apply.ts";
import type { Applied, Edit } from "./contract.ts";
import { extract } from "./extract.ts";

const on = (files: Record<string, string>, edits: readonly Edit[]): Applied => applyEdits(edits, (path) => files[path]);
const replace = (search: string, by: string, path = "a.ts"): Edit => ({ kind: "replace", path, search, replace: by, line: 1 });
const becomes = (old: string, ...edits: Edit[]): string | undefined => {
  const { files, problems } = on({ "a.ts": old }, edits);
  expect(problems).toEqual([]);
  return files.get("a.ts");
};
const problemOf = (old: string, ...edits: Edit[]): string => {
  const { files, problems } = on({ "a.ts": old }, edits);
  expect(files.size).toBe(0);
  expect(problems).toHaveLength(1);
  return problems[0]?.message ?? "";
};

describe("a replacement", () => {
  test("is made where the text stands to the letter", () => {
    expect(becomes("one\ntwo\nthree\n", replace("two\n", "zwei\n"))).toBe("one\nzwei\nthree\n");
    expect(becomes("one\ntwo", replace("two\n", "zwei\n"))).toBe("one\nzwei");
    expect(becomes("let a = f(1);\n", replace("f(1)", "g(2)"))).toBe("let a = g(2);\n");
  });

  test("keeps the file's line ends, and leaves other lines as they are where it has both kinds", () => {
    expect(becomes("one\r\ntwo\r\n", replace("two\n", "zwei\ndrei\n"))).toBe("one\r\nzwei\r\ndrei\r\n");
    expect(becomes("one\r\ntwo\nthree\r\n", replace("two\n", "zwei\n"))).toBe("one\r\nzwei\nthree\r\n");
  });

  test("is made where only white space differs, with the file's indentation", () => {
    expect(becomes("class A {\n    run() {\n      go();\n    }\n}\n", replace("run() {\n  go();\n}\n", "run() {\n  stop();\n}\n"))).toBe(
      "class A {\n    run() {\n      stop();\n    }\n}\n",
    );
    expect(becomes("one  \ntwo\n", replace("one\ntwo\n", "1\n2\n"))).toBe("1\n2\n");
  });

  test("is never made where it fits in several places", () => {
    expect(problemOf("x\ny\nx\n", replace("x\n", "z\n"))).toContain("several places (lines 1, 3)");
    expect(problemOf("  x;\n    x;\n", replace("x;\n", "z;\n"))).toContain("several places");
    expect(problemOf("a a\n", replace("a", "b"))).toContain("more than once");
  });

  test("is refused where indentation differs from line to line", () => {
    expect(problemOf("if a:\n    b\n  c\n", replace("if a:\n  b\n    c\n", "x\n"))).toContain("does not match");
  });

  test("that fits nowhere is answered with the most similar lines", () => {
    const message = problemOf("import x\n\ndef total(items):\n    return sum(items)\n", replace("def total(item):\n    return 0\n", "x\n"));
    expect(message).toContain("from line 3:\ndef total(items):\n    return sum(items)");
    expect(problemOf("import x\n", replace("completely different text here\n", "x\n"))).toContain("Nothing in the file is similar");
  });

  test("with nothing to look for makes a new file, and changes none", () => {
    expect(on({}, [replace("", "new\n")]).files.get("a.ts")).toBe("new\n");
    expect(problemOf("old\n", replace("", "new\n"))).toContain("there already");
    expect(on({}, [replace("old\n", "new\n")]).problems[0]?.message).toContain("does not exist");
  });
});

describe("a patch", () => {
  const patch = (...hunks: { before: string[]; after: string[]; at?: number; within?: string[] }[]): Edit => ({
    kind: "patch",
    path: "a.ts",
    hunks,
    line: 1,
  });

  test("is applied where its lines are, whatever its counts and its line say", () => {
    expect(becomes("a\nb\nc\n", patch({ before: ["b"], after: ["B"], at: 99 }))).toBe("a\nB\nc\n");
  });

  test("among several places takes the one it names, moved by the hunks before it", () => {
    const text = "x\n1\nx\n2\nx\n";
    expect(becomes(text, patch({ before: ["1"], after: ["1", "1b"], at: 2 }, { before: ["x"], after: ["X"], at: 3 }))).toBe(
      "x\n1\n1b\nX\n2\nx\n",
    );
    expect(problemOf(text, patch({ before: ["x"], after: ["X"], at: 2 }))).toContain("several places");
  });

  test("is applied below what it stands within", () => {
    const text = "class A\n  run\nclass B\n  run\n";
    expect(becomes(text, patch({ before: ["  run"], after: ["  go"], within: ["class B"] }))).toBe("class A\n  run\nclass B\n  go\n");
    expect(problemOf(text, patch({ before: ["  run"], after: [], within: ["class C"] }))).toContain('"class C"');
  });

  test("as models send it, with wrong counts, gives the file it means", () => {
    const { edits } = extract("```diff\n--- a/a.ts\n+++ b/a.ts\n@@ -1,50 +1,2 @@\n one\n-two\n+zwei\n@@ -7,1 @@\n five\n+six\n```\n");
    expect(on({ "a.ts": "one\ntwo\nthree\nfour\nfive\n" }, edits).files.get("a.ts")).toBe("one\nzwei\nthree\nfour\nfive\nsix\n");
  });
});

describe("files as a whole", () => {
  const write = (content: string, line = 1): Edit => ({ kind: "write", path: "a.ts", content, line });

  test("are written, deleted and renamed", () => {
    const { files, problems } = on({ "a.ts": "a\n", "b.ts": "b\n" }, [
      write("new\n"),
      { kind: "rename", path: "b.ts", to: "c.ts", hunks: [{ before: ["b"], after: ["c"] }], line: 2 },
    ]);
    expect(problems).toEqual([]);
    expect([...files]).toEqual([
      ["a.ts", "new\n"],
      ["c.ts", "c\n"],
      ["b.ts", undefined],
    ]);
    expect(on({}, [{ kind: "delete", path: "a.ts", line: 1 }]).problems[0]?.message).toContain("no such file");
    expect(on({ "a.ts": "", "b.ts": "" }, [{ kind: "rename", path: "a.ts", to: "b.ts", hunks: [], line: 1 }]).problems).toHaveLength(1);
  });

  test("given twice, differently, are not chosen between", () => {
    expect(problemOf("old\n", write("one\n"), write("two\n", 9))).toContain("lines 1 and 9");
    expect(becomes("old\n", write("one\n"), write("one\n"))).toBe("one\n");
  });

  test("do not replace a file by one with parts left out", () => {
    expect(problemOf("import a\nb()\n", write("import a\n# ... rest of the code ...\n"))).toContain("rest of the code");
    expect(problemOf("import a\nb()\n", write("import a\n// existing code remains unchanged\n"))).toContain("leaves parts of it out");
    expect(becomes("a\n", write("// the rest of the arguments is passed on\nf(...rest)\n"))).toContain("passed on");
  });
});

test("one problem leaves its file as it is, and only its file", () => {
  const { files, problems } = on({ "a.ts": "one\ntwo\n", "b.ts": "b\n" }, [
    replace("one\n", "1\n"),
    replace("three\n", "3\n"),
    replace("b\n", "B\n", "b.ts"),
  ]);
  expect([...files]).toEqual([["b.ts", "B\n"]]);
  expect(problems.map(({ path }) => path)).toEqual(["a.ts"]);
});

test("what would not parse is not applied, unless it did not parse before", async () => {
  const check = (_: string, text: string) => (text.includes("(") ? { line: 1, message: "( is never closed" } : undefined);
  const read = (path: string): string | undefined => ({ "a.ts": "a\n", "b.ts": "(b\n" })[path];
  const edits = [replace("a\n", "(\n"), replace("(b\n", "(c\n", "b.ts")];
  const { files, problems } = await refuseFaulty(applyEdits(edits, read), read, check);
  expect([...files]).toEqual([["b.ts", "(c\n"]]);
  expect(problems).toMatchObject([{ path: "a.ts", message: expect.stringContaining("line 1: ( is never closed") as string }]);
});

test("the text around what is replaced stays to the letter, wherever it is found", () => {
  const line = fc.constantFrom("", "  a", "    a", "a", "b;", "\tc", "  d { ", "é");
  const lines = fc.array(line, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lines, fc.nat(), fc.nat(), lines, fc.constantFrom("", "  ", "\t"), (file, start, length, after, indent) => {
      const first = start % file.length;
      const before = file.slice(first, first + 1 + (length % (file.length - first)));
      const old = file.map((each) => `${each}\n`).join("");
      const moved = before.map((each) => (each === "" ? each : indent + each));
      const { files } = on({ "a.ts": old }, [{ kind: "patch", path: "a.ts", hunks: [{ before: moved, after }], line: 1 }]);
      const now = files.get("a.ts");
      if (now === undefined) return;
      // Applied: then to one place only, and to none if the very same lines stand in two.
      const places = file.flatMap((_, i) => (before.every((each, k) => file[i + k] === each) ? [i] : []));
      if (indent === "") expect(places).toEqual([first]);
      const result = now.split("\n").slice(0, -1);
      expect(result.length).toBe(file.length - before.length + after.length);
      expect(file.some((_, i) => isAround(file, result, i, before.length, after.length))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

const isAround = (file: string[], result: string[], at: number, gone: number, came: number): boolean =>
  JSON.stringify(file.slice(0, at)) === JSON.stringify(result.slice(0, at)) &&
  JSON.stringify(file.slice(at + gone)) === JSON.stringify(result.slice(at + came));
