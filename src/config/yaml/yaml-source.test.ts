import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTextFile } from "./text-file.ts";
import { MAX_YAML_BYTES, readYaml, type YamlSource } from "./yaml-source.ts";

/** Processor time, milliseconds: the clock on the wall also measures who else uses the machine. */
const cpuMs = (): number => process.cpuUsage().user / 1000;

const read = (text: string): YamlSource => {
  const reading = readYaml(text, "f.yaml");
  if (!reading.ok || reading.problems.length > 0) throw new Error(JSON.stringify(reading.problems));
  return reading.source;
};
const codes = (text: string): string[] => readYaml(text, "f.yaml").problems.map((p) => `${p.line}:${p.col} ${p.code}`);

describe("places", () => {
  test("of keys, values, items, empty values and what is not there", () => {
    const source = read("a:\n  - x\n  - b: 1\nc:\nd: &n { e: 2 }\nf: *n\n");
    expect(source.place(["a", 1, "b"])).toEqual({ line: 3, col: 8 });
    expect(source.place(["a", 1, "b"], "key")).toEqual({ line: 3, col: 5 });
    expect(source.place(["c"])).toEqual({ line: 4, col: 1 });
    expect(source.place(["a", "no", "such"])).toEqual({ line: 2, col: 3 });
    expect(source.place(["f", "e"])).toEqual({ line: 5, col: 12 });
    expect(source.value).toEqual({ a: ["x", { b: 1 }], c: null, d: { e: 2 }, f: { e: 2 } });
  });

  test("keys keep the order of the file, and are spelt as they are", () => {
    const source = read("b: 1\n10: 2\ntrue: 1.10\n2: 4\n");
    expect(source.keys([])).toEqual(["b", "10", "true", "2"]);
    expect(source.spelling(["true"])).toBe("1.10");
  });

  test("a byte order mark and Windows line ends do not move them", () => {
    expect(read("\uFEFFa: 1\r\nb: 2\r\n").place(["b"])).toEqual({ line: 2, col: 4 });
  });

  test("of a text inside a block", () => {
    const found = [...read("a: |\n  one\n  two ${{ x }}\n").find("${{")];
    expect(found).toEqual([{ path: ["a"], place: { line: 3, col: 7 } }]);
  });
});

describe("aliases", () => {
  test("`<<` merges; what the map itself says wins", () => {
    expect(read("a: &a { x: 1, y: 2 }\nb: { <<: *a, y: 3 }\n").value).toEqual({ a: { x: 1, y: 2 }, b: { x: 1, y: 3 } });
  });

  test("a bomb is refused before it goes off", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    const start = cpuMs();
    expect(codes(lines.join("\n"))).toEqual([expect.stringMatching(/YAML_ALIAS_BOMB$/)]);
    expect(cpuMs() - start).toBeLessThan(2000);
  });

  test("a bomb made of merges too", () => {
    const keys = Array.from({ length: 2000 }, (_, i) => `k${i}: 1`).join(", ");
    const merges = Array.from({ length: 2000 }, (_, i) => `m${i}: { <<: *a }`).join("\n");
    expect(codes(`a: &a { ${keys} }\n${merges}`)).toEqual([expect.stringMatching(/YAML_ALIAS_BOMB$/)]);
  });

  test("an alias inside what it names, or without an anchor, is refused", () => {
    expect(codes("a: &a [*a]")).toEqual(["1:8 YAML_ALIAS"]);
    expect(codes("a: *b")).toEqual(["1:4 YAML_ALIAS"]);
  });
});

describe("what is no good YAML is told in plain words", () => {
  test.each([
    ["a:\n\tb: 1", "2:1 YAML_TAB"],
    ["a: 1\n---\nb: 1", "2:1 YAML_SEVERAL_DOCUMENTS"],
    ["a: [1, 2", "1:9 YAML_SYNTAX"],
    ["a: 'x", "1:6 YAML_SYNTAX"],
    ["a: b: c", "1:4 YAML_SYNTAX"],
    ["a: 1\na: 2", "2:1 DUPLICATE_KEY"],
    ["? [a]\n: 1", "1:3 KEY_NOT_TEXT"],
    ["__proto__: 1", "1:1 RESERVED_KEY"],
    ["a: { constructor: 1 }", "1:6 RESERVED_KEY"],
    ["a: !x 1", "1:4 YAML_TAG"],
    ["a: \u0007", "1:4 YAML_CONTROL_CHARACTER"],
    ['a: "\\0"', "1:4 YAML_CONTROL_CHARACTER"],
    [`a: ${"[".repeat(100)}${"]".repeat(100)}`, "1:68 YAML_TOO_DEEP"],
  ])("%j", (text, problem) => expect(codes(text)).toContain(problem));

  test("a key given twice names both lines", () => {
    expect(readYaml("a: 1\nb: 2\na: 3", "f").problems[0]?.message).toBe("`a` is given twice, on line 1 and line 3");
  });
});

describe("hostile texts", () => {
  test("more than a mebibyte is refused unread", () => {
    expect(codes("a".repeat(MAX_YAML_BYTES + 1))).toEqual(["0:0 FILE_TOO_LARGE"]);
  });

  test("any text at all has an answer, and never an exception", () => {
    const yamlish = fc.string({
      unit: fc.constantFrom(..."ab:-[]{}&*!|>'\"#%@`,?~<\n\t \\0".split(""), "<<: ", "*a", "&a ", "\n  ", "- "),
      maxLength: 80,
    });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), yamlish), (text) => {
        const reading = readYaml(text, "f");
        if (!reading.ok) expect(reading.problems.length).toBeGreaterThan(0);
        else JSON.stringify(reading.source.value);
        for (const p of reading.problems) expect(p.line > 0 && p.col > 0 && p.hint !== "").toBe(true);
      }),
      { numRuns: 1200 },
    );
  });
});

test("missing files, folders, binary and large files are answers, not exceptions", () => {
  const root = mkdtempSync(join(tmpdir(), "stepfall-text-"));
  try {
    mkdirSync(join(root, "folder"));
    writeFileSync(join(root, "binary"), Buffer.from([0x50, 0, 1, 2]));
    writeFileSync(join(root, "latin1"), Buffer.from([0x61, 0xe9, 0x62]));
    writeFileSync(join(root, "large"), "x".repeat(101));
    writeFileSync(join(root, "fine"), "x".repeat(100));
    const code = (name: string): string => {
      const file = readTextFile(join(root, name), 100);
      return file.ok ? "ok" : file.problem.code;
    };
    expect(["none", "folder", "folder/none", "fine/none", "binary", "latin1", "large", "fine", "a\0b"].map(code)).toEqual([
      "FILE_MISSING",
      "FILE_IS_FOLDER",
      "FILE_MISSING",
      "FILE_MISSING",
      "FILE_BINARY",
      "FILE_BINARY",
      "FILE_TOO_LARGE",
      "ok",
      "FILE_MISSING",
    ]);
    expect(readTextFile("/dev/null", 100)).toMatchObject({ ok: false, problem: { code: "FILE_UNREADABLE" } });
  } finally {
    rmSync(root, { recursive: true });
  }
});
