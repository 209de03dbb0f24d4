import { describe, expect, test } from "vitest";
import type { Edit } from "./contract.ts";
import { extract } from "./extract.ts";

const wholes = (reply: string, has?: (path: string) => boolean): Record<string, string> =>
  Object.fromEntries(
    extract(reply, has ? { has } : {}).edits.flatMap((edit) => (edit.kind === "write" ? [[edit.path, edit.content]] : [])),
  );
const only = (reply: string): Edit => {
  const { edits } = extract(reply);
  expect(edits).toHaveLength(1);
  return edits[0] as Edit;
};
const fence = (info: string, body: string, mark = "```"): string => `${mark}${info}\n${body}\n${mark}\n`;

describe("a fence becomes a file when something names it", () => {
  test.each([
    ["language and path", "ts:src/a.ts"],
    ["path alone", "src/a.ts"],
    ["language, then path", "ts src/a.ts"],
    ["title", 'ts title="src/a.ts"'],
    ["attribute in braces", "ts {path=src/a.ts}"],
    ["leading ./", "ts:./src/a.ts"],
  ])("in the info string: %s", (_, info) => {
    expect(wholes(`Here:\n\n${fence(info, "let a = 1;")}`)).toEqual({ "src/a.ts": "let a = 1;\n" });
  });

  test.each([
    "src/a.ts",
    "**src/a.ts**",
    "`src/a.ts`",
    "**`src/a.ts`**:",
    "### src/a.ts",
    "## 2. `src/a.ts`",
    "1. **src/a.ts**",
    "File: src/a.ts",
    "**File: `src/a.ts`**",
    "#### `src/a.ts` (new)",
    "Some text first.\nsrc/a.ts",
  ])("in the line above: %s", (above) => {
    expect(wholes(`${above}\n${fence("ts", "a")}`)).toEqual({ "src/a.ts": "a\n" });
    expect(wholes(`Intro.\n\n${above}\n\n${fence("ts", "a", "~~~~")}`)).toEqual({ "src/a.ts": "a\n" });
  });

  test.each(["// src/a.ts", "# src/a.ts", "<!-- src/a.ts -->", "/* src/a.ts */", "-- File: src/a.ts", "#!/usr/bin/env node\n// src/a.ts"])(
    "in a comment that is its first line, which stays: %s",
    (first) => {
      expect(wholes(fence("", `${first}\nx`))).toEqual({ "src/a.ts": `${first}\nx\n` });
    },
  );

  test("the tree makes a name a path that would not be one by its looks", () => {
    const reply = `bin/run\n${fence("", "echo")}`;
    expect(wholes(reply)).toEqual({});
    expect(wholes(reply, (path) => path === "bin/run")).toEqual({ "bin/run": "echo\n" });
  });

  test("in a list the indentation of the list is not the file's", () => {
    expect(wholes("1. First:\n\n   ```py:a.py\n   if x:\n       y\n   ```\n\n2. Next.\n")).toEqual({ "a.py": "if x:\n    y\n" });
  });

  test("a fence with an info string inside a Markdown file does not end it", () => {
    const reply = "README.md\n```markdown\n# A\n\n```sh\nnpm i\n```\n\nEnd.\n```\n\nDone.\n";
    expect(wholes(reply)).toEqual({ "README.md": "# A\n\n```sh\nnpm i\n```\n\nEnd.\n" });
  });

  test("when that reading finds no end, CommonMark decides, and later files are still found", () => {
    const reply = "README.md\n```markdown\n# A\n```sh\nnpm i\n```\n\nb.ts\n```ts\nlet b;\n```\n";
    expect(Object.keys(wholes(reply))).toEqual(["README.md", "b.ts"]);
  });
});

describe("nothing is invented", () => {
  test.each([
    ["prose that mentions a path", "Change `src/a.ts` so that it works, then run src/b.ts."],
    ["an example below a sentence about a file", `Look at \`src/a.ts\`:\n\n${fence("ts", "let a;")}`],
    ["code without a name", fence("python", "class Solution:\n    pass")],
    ["a module, not a file", `matplotlib.pyplot\n${fence("python", "import matplotlib.pyplot as plt")}`],
    ["an extension, not a file", `.py\n${fence("python", "x = 1")}`],
    ["a product, not a file", `### Node.js\n${fence("js", "fetch(url)")}`],
    ["a placeholder", `FILENAME\n${fence("python", "x = 1")}`],
    ["a command below a program's name", `main.py\n\n${fence("bash", "python main.py")}`],
    ["a citation of lines that are there", fence("12:30:src/a.ts", "let a;")],
    ["JSON that is about something else", fence("json", '{"name": "left-pad", "version": "1.0.0", "scripts": {"test": "vitest"}}')],
    ["a tool that reads", '{"name": "read_file", "arguments": {"path": "a.ts"}}'],
    ["a rule, a dash and a merge conflict", "---\ntext\n--- more\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n"],
    ["a diff of no file", fence("diff", "-a\n+b")],
    ["HTML", "<div>\n<p>hello</p>\n</div>"],
  ])("%s", (_, reply) => {
    expect(extract(reply).edits).toEqual([]);
  });

  test("code without a name is reported with its line, and a shell command is not", () => {
    expect(extract(`Like so:\n\n${fence("ts", "let a = 1;")}\n${fence("bash", "ls")}`).unplaced).toEqual([
      { kind: "snippet", line: 4, why: expect.any(String) as string, excerpt: "let a = 1;" },
    ]);
  });

  test("a file in which the reply ends is reported, not written", () => {
    const { edits, unplaced } = extract("a.ts\n```ts\nlet a = 1;\nlet b");
    expect(edits).toEqual([]);
    expect(unplaced).toMatchObject([{ kind: "broken", path: "a.ts", line: 3 }]);
  });

  test("what a model thinks before it answers is no edit", () => {
    const reply = `<think>\nMaybe:\n\na.ts\n${fence("ts", "no")}\n</think>\n\na.ts\n${fence("ts", "yes")}`;
    expect(wholes(reply)).toEqual({ "a.ts": "yes\n" });
    expect(extract(reply).edits).toHaveLength(1);
    expect(extract(`<think>a.ts\n${fence("ts", "no")}`).edits).toEqual([]);
  });

  test("several files in one fence are reported", () => {
    const { edits, unplaced } = extract(fence("ts", "// a.ts\nlet a;\n\n// b.ts\nlet b;"));
    expect(edits).toEqual([]);
    expect(unplaced).toMatchObject([{ kind: "broken", path: "a.ts" }]);
  });
});

describe("SEARCH/REPLACE", () => {
  const block = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE";
  const edit = { kind: "replace", path: "src/a.ts", search: "old\n", replace: "new\n" };

  test.each([
    ["path above the fence", `src/a.ts\n${fence("ts", block)}`],
    ["path as the fence's first line", fence("ts", `src/a.ts\n${block}`)],
    ["path in the info string", fence("ts:src/a.ts", block)],
    ["path after SEARCH", block.replace("SEARCH", "SEARCH src/a.ts")],
    ["no fence", `Text.\n\nsrc/a.ts\n${block}\n`],
    ["a fence opened twice", `\`\`\`ts\nsrc/a.ts\n\`\`\`ts\n${block}\n\`\`\`\n`],
    ["ORIGINAL and UPDATED", fence("ts", `src/a.ts\n${block.replace("SEARCH", "ORIGINAL").replace("REPLACE", "UPDATED")}`)],
    ["dashes and pluses", `src/a.ts\n${fence("", "------- SEARCH\nold\n=======\nnew\n+++++++ REPLACE")}`],
    ["five arrows", `src/a.ts\n${fence("", "<<<<< SEARCH\nold\n=====\nnew\n>>>>> REPLACE")}`],
    ["with a line hint", `src/a.ts\n${fence("", block.replace("SEARCH\n", "SEARCH\n:start_line:7\n-------\n"))}`],
    ["an unknown extension", fence("", `src/a.ts\n${block}`)],
  ])("%s", (_, reply) => {
    expect(only(reply)).toMatchObject(edit);
  });

  test("a fence within a block ends nothing", () => {
    const reply = `README.md\n${fence("", "<<<<<<< SEARCH\n```\nold\n```\n=======\n```sh\nnew\n```\n>>>>>>> REPLACE")}`;
    expect(only(reply)).toMatchObject({ path: "README.md", search: "```\nold\n```\n", replace: "```sh\nnew\n```\n" });
  });

  test("a block without a path goes on with the file before it", () => {
    const { edits } = extract(`src/a.ts\n${fence("ts", block)}\nAnd:\n\n${fence("ts", block)}`);
    expect(edits.map(({ path }) => path)).toEqual(["src/a.ts", "src/a.ts"]);
  });

  test("a block that is cut off is reported, and what follows its fence is read", () => {
    const reply = `src/a.ts\n${fence("ts", "<<<<<<< SEARCH\nold\n=======")}\nb.ts\n${fence("ts", "let b;")}`;
    const { edits, unplaced } = extract(reply);
    expect(edits).toMatchObject([{ kind: "write", path: "b.ts" }]);
    expect(unplaced).toMatchObject([{ kind: "broken", path: "src/a.ts" }]);
  });

  test("a block that could be divided in two places is not", () => {
    const { edits, unplaced } = extract(`a.rst\n${fence("", "<<<<<<< SEARCH\nTitle\n=======\nText\n=======\nNew\n>>>>>>> REPLACE")}`);
    expect(edits).toEqual([]);
    expect(unplaced).toMatchObject([{ kind: "broken", path: "a.rst" }]);
  });
});

describe("diffs and patches", () => {
  const hunk = "@@ -10,99 +10,1 @@ class A\n one\n-two\n+zwei\n three";

  test("wrong counts do not matter, in a fence or out of it", () => {
    const diff = `--- a/src/a.ts\n+++ b/src/a.ts\n${hunk}`;
    const expected = {
      kind: "patch",
      path: "src/a.ts",
      hunks: [{ before: ["one", "two", "three"], after: ["one", "zwei", "three"], at: 10 }],
    };
    expect(only(fence("diff", diff))).toMatchObject(expected);
    expect(only(`Apply:\n\n${diff}\n\nDone.\n`)).toMatchObject(expected);
    expect(only(`src/a.ts\n${fence("diff", "@@ ... @@\n one\n-two\n+zwei\n three")}`)).toMatchObject({ kind: "patch", path: "src/a.ts" });
  });

  test("git's headers: new, deleted, renamed, quoted", () => {
    const reply = fence(
      "diff",
      [
        "diff --git a/new.ts b/new.ts\nnew file mode 100644\n--- /dev/null\n+++ b/new.ts\n@@ -0,0 +1,7 @@\n+let n;",
        "diff --git a/old.ts b/old.ts\ndeleted file mode 100644\n--- a/old.ts\n+++ /dev/null\n@@ -1 +0,0 @@\n-let o;",
        "diff --git a/from.ts b/to.ts\nsimilarity index 90%\nrename from from.ts\nrename to to.ts\n--- a/from.ts\n+++ b/to.ts\n@@ -1 +1 @@\n-a\n+b",
      ].join("\n"),
    );
    expect(extract(reply).edits).toMatchObject([
      { kind: "write", path: "new.ts", content: "let n;\n" },
      { kind: "delete", path: "old.ts" },
      { kind: "rename", path: "from.ts", to: "to.ts", hunks: [{ before: ["a"], after: ["b"] }] },
    ]);
  });

  test("apply_patch: add, update in a place, move, delete", () => {
    const reply = `*** Begin Patch
*** Add File: new.ts
+let n;
+
*** Update File: src/a.ts
*** Move to: src/b.ts
@@ class A
@@   run() {
 one
-two
+zwei
*** Delete File: old.ts
*** End Patch
`;
    const expected = [
      { kind: "write", path: "new.ts", content: "let n;\n\n" },
      {
        kind: "rename",
        path: "src/a.ts",
        to: "src/b.ts",
        hunks: [{ before: ["one", "two"], after: ["one", "zwei"], within: ["class A", "run() {"] }],
      },
      { kind: "delete", path: "old.ts" },
    ];
    expect(extract(reply).edits).toMatchObject(expected);
    expect(extract(fence("", reply.trimEnd())).edits).toMatchObject(expected);
    const cut = extract(reply.slice(0, reply.indexOf("+zwei")));
    expect(cut.edits).toMatchObject([{ path: "new.ts" }]);
    expect(cut.unplaced).toMatchObject([{ kind: "broken", path: "src/a.ts" }]);
  });
});

describe("JSON, tool calls and elements", () => {
  const files = { "src/a.py": 'print("a")\nx = 1\n', "b.py": "b\n" };

  test.each([
    ["a list", '[{"path": "src/a.py", "content": "print(\\"a\\")\\nx = 1\\n"}, {"path": "b.py", "content": "b"}]'],
    [
      "name and folder",
      '[{"file": "a.py", "path": "src/", "code": "print(\\"a\\")\\nx = 1"}, {"file": "b.py", "path": "b.py", "code": "b"}]',
    ],
    ["raw line feeds", '[{"path": "src/a.py", "content": "print(\\"a\\")\nx = 1\n"}, {"path": "b.py", "content": "b"}]'],
    ["raw line feeds and quotes", '[{"path": "src/a.py", "content": "print("a")\nx = 1\n"}, {"path": "b.py", "content": "b"}]'],
    ["triple quotes", '[{"path": "src/a.py", "content": """\nprint("a")\nx = 1\n"""}, {"path": "b.py", "content": "b"}]'],
    [
      "a trailing comma and an elision",
      '[{"path": "src/a.py", "content": "print(\\"a\\")\\nx = 1"}, {"path": "b.py", "content": "b"},\n ...\n]',
    ],
    ["escaped twice", '[{"path": "src/a.py", "content": "print(\\\\"a\\\\")\\\\nx = 1"}, {"path": "b.py", "content": "b"}]'],
    ["a map", '{"files": [{"name": "src/a.py", "content": "print(\\"a\\")\\nx = 1"}, {"name": "b.py", "content": "b"}]}'],
  ])("whole files: %s", (_, json) => {
    expect(wholes(fence("json", json))).toEqual(files);
    expect(wholes(`The files:\n\n${json}\n\nThat is all.\n`)).toEqual(files);
  });

  test("of JSON that is cut off, the whole records come and the last is reported", () => {
    const { edits, unplaced } = extract('[{"path": "a.py", "content": "a\\nb"},\n{"path": "c.py", "content": "c = 1\\n');
    expect(edits).toMatchObject([{ path: "a.py", content: "a\nb\n" }]);
    expect(unplaced).toMatchObject([{ kind: "broken", path: "c.py" }]);
  });

  test("where the end of a malformed content cannot be told, nothing is written", () => {
    for (const cut of [
      '[{"path": "a.py", "content": "say "hi" and then\n',
      '[{"path": "a.py", "content": "say "hi" and then\n more text without an end }',
    ]) {
      expect(extract(cut).edits).toEqual([]);
      expect(extract(cut).unplaced).toMatchObject([{ kind: "broken", path: "a.py" }]);
    }
  });

  test("a record with two names that contradict, or without content, is reported", () => {
    const { edits, unplaced } = extract('[{"file": "a.py", "path": "src/b.py", "code": "x"}, {"file": "c.py"}]');
    expect(edits).toEqual([]);
    expect(unplaced).toMatchObject([
      { kind: "broken", path: "a.py" },
      { kind: "snippet", path: "c.py" },
    ]);
  });

  test.each([
    ["name and arguments", '{"name": "write_file", "arguments": {"path": "a.ts", "content": "let a;\\n"}}'],
    [
      "arguments as text",
      '{"type": "function", "function": {"name": "write_file", "arguments": "{\\"path\\": \\"a.ts\\", \\"content\\": \\"let a;\\\\n\\"}"}}',
    ],
    ["in a tag", '<tool_call>\n{"name": "write_file", "arguments": {"path": "a.ts", "content": "let a;\\n"}}\n</tool_call>'],
    ["an editor's command", '{"command": "create", "path": "a.ts", "file_text": "let a;\\n"}'],
    ["an element with a path", '<file path="a.ts">\nlet a;\n</file>'],
    ["an element with children", "<write_to_file>\n<path>a.ts</path>\n<content>\nlet a;\n</content>\n</write_to_file>"],
    ["an element in a fence", fence("xml", '<file path="a.ts">\nlet a;\n</file>')],
    ["CDATA", '<file name="a.ts"><![CDATA[\nlet a;\n]]></file>'],
    ["an action", '<boltAction type="file" filePath="a.ts">\nlet a;\n</boltAction>'],
    [
      "an invocation",
      '<invoke name="write_file">\n<parameter name="path">a.ts</parameter>\n<parameter name="content">let a;\n</parameter>\n</invoke>',
    ],
  ])("a tool call that writes: %s", (_, reply) => {
    expect(only(`I write it.\n\n${reply}\n`)).toMatchObject({ kind: "write", path: "a.ts", content: "let a;\n" });
  });

  test.each([
    ["JSON", '{"name": "edit", "arguments": {"file_path": "a.ts", "old_string": "let a", "new_string": "let b"}}', "let a", "let b"],
    [
      "an element",
      '<str_replace path="a.ts">\n<old_str>\nlet a\n</old_str>\n<new_str>\nlet b\n</new_str>\n</str_replace>',
      "let a\n",
      "let b\n",
    ],
    [
      "a diff in an element",
      "<replace_in_file>\n<path>a.ts</path>\n<diff>\n<<<<<<< SEARCH\nlet a\n=======\nlet b\n>>>>>>> REPLACE\n</diff>\n</replace_in_file>",
      "let a\n",
      "let b\n",
    ],
  ])("a tool call that edits: %s", (_, reply, search, replace) => {
    expect(only(reply)).toMatchObject({ kind: "replace", path: "a.ts", search, replace });
  });

  test("an element in which the reply ends is reported", () => {
    const { edits, unplaced } = extract('<file path="a.ts">\nlet a;\n');
    expect(edits).toEqual([]);
    expect(unplaced).toMatchObject([{ kind: "broken", path: "a.ts" }]);
  });
});

test.each([
  ["absolute", "/etc/passwd.txt"],
  ["home", "~/.ssh/config"],
  ["climbing", "../up.ts"],
  ["climbing within", "src/../../up.ts"],
  ["a drive", "C:/a.ts"],
  ["backslashes", "..\\up.ts"],
  ["git's own", ".git/hooks/x.sh"],
  ["git's own, folded", "a/.GIT/config.txt"],
])("a path outside the tree is refused in every format: %s", (_, path) => {
  const replies = [
    fence(`ts:${path}`, "x"),
    `${path}\n${fence("ts", "x")}`,
    `${path}\n${fence("ts", "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE")}`,
    `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-a\n+b\n`,
    `*** Begin Patch\n*** Add File: ${path}\n+a\n*** End Patch\n`,
    `*** Begin Patch\n*** Update File: ok.ts\n*** Move to: ${path}\n@@\n-a\n+b\n*** End Patch\n`,
    JSON.stringify([{ path, content: "a" }]),
    `<file path="${path}">\na\n</file>`,
  ];
  for (const [i, reply] of replies.entries()) {
    const { edits, refused } = extract(reply);
    expect(edits, reply).toEqual([]);
    // `a//etc` of a diff is within the tree once it is read; everything else is refused by name.
    if (i !== 3) expect(refused.length, reply).toBe(1);
  }
});

test("of a diff, a missing name, a missing space and stray lines are made up for", () => {
  const body = "@@\n kept\nkept too\n-old\n+new\n";
  const expected = { kind: "patch", path: "a.ts", hunks: [{ before: ["kept", "kept too", "old"], after: ["kept", "kept too", "new"] }] };
  expect(only(fence("diff", `--- a/a.ts\n${body}`))).toMatchObject(expected);
  expect(only(fence("diff", `Changes:\n+++ b/a.ts\n${body}`))).toMatchObject(expected);
});

test("any element with a path holds a file, and a tag that is none takes nothing with it", () => {
  expect(only('<source path="src/a.ts">\nlet a;\n</source>\n')).toMatchObject({ kind: "write", path: "src/a.ts", content: "let a;\n" });
  expect(extract('<Route path="/home">\n<Home/>\n</Route>\n').edits).toEqual([]);
  expect(only(`The tag\n<edit> is not known.\n\na.ts\n${fence("ts", "let a;")}`)).toMatchObject({ path: "a.ts" });
});

test("a reply of brackets without end is given up on in time", () => {
  const began = performance.now();
  for (const each of ["{", "[a](", "- ", '"']) expect(extract(`{"files":[${each.repeat(100_000)}`).edits).toEqual([]);
  // The repair alone took half a minute of the first.
  expect(performance.now() - began).toBeLessThan(10_000);
});
