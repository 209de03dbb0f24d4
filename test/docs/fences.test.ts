import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allDocuments, blocksOf, prose, root, valueOf, type Block } from "./markdown.ts";
import { isRun } from "./play.ts";

/** Every fenced block of the documents is run, and this says by what; the few that are not are here, each with its reason. */
const notRun: Readonly<Record<string, { why: string; blocks: readonly string[] }>> = {
  itself: {
    why: "`npm test` is what runs this. What `npm start` does, examples.test.ts runs, and compares its output with the README's",
    blocks: ["README.md: npm start    # the main job on a sample project: no key, no network but for the installation"],
  },
  minutes: {
    why: "a benchmark takes the whole machine for minutes; the names are checked below",
    blocks: ["docs/benchmarks.md: npm run bench -- engine          # a table for people"],
  },
  server: {
    why: "a server stays until it is ended; test/server and test/browser run it",
    blocks: ["docs/dashboard.md: stepfall up"],
  },
  client: {
    why: "it needs a program that the reader has; test/agents/mcp runs real ones against the server",
    blocks: ["docs/mcp.md: claude mcp add stepfall -- stepfall mcp"],
  },
  editor: {
    why: "a comment that editors read; the file it names is checked below",
    blocks: ["docs/pipeline.md: # yaml-language-server: $schema=./schema/pipeline.schema.json"],
  },
};

interface Placed {
  at: string;
  way: string | undefined;
  reason: string | undefined;
  /** `docs/a.md: its first line`. */
  name: string;
}

function wayOf(path: string, block: Block, around: readonly Block[]): string | undefined {
  const has = (word: string): boolean => block.info.includes(word);
  const file = valueOf(block, "file");
  const scene = valueOf(block, "in");
  const later = around.filter((other) => isRun(other) && valueOf(other, "in") === scene && other.line > block.line);
  // A file that nothing runs would only be written.
  const isUsed = (pattern: RegExp): boolean => later.some((other) => pattern.test(other.text));
  switch (block.language) {
    case "sh":
      return isRun(block) ? "executed" : undefined;
    case "yaml":
      if (has("settings"))
        return file === undefined
          ? "each of its agents does a step (settings.test.ts)"
          : isUsed(/stepfall run/)
            ? "committed, and run with"
            : undefined;
      if (!has("pipeline") || file === undefined) return undefined;
      return isUsed(new RegExp(`stepfall run ${file.replaceAll(".", "[.]")}(?![^\\s;&|])`)) ? `stepfall run ${file}` : undefined;
    case "json":
      return file !== undefined && isUsed(/stepfall run/) ? `${file}, and run with` : undefined;
    case "ts":
      return path === "docs/library.md" && has("run") ? "executed (library.test.ts)" : undefined;
    case "text":
      return path === "README.md" ? "compared with what npm start prints (examples.test.ts)" : undefined;
    default:
      return undefined;
  }
}

/** As the tests of documents read them. */
function placed(path: string, text: string): Placed[] {
  const all = blocksOf(text);
  return all.map((block) => ({
    at: `${path}:${block.line}`,
    way: wayOf(path, block, all),
    reason: valueOf(block, "not-run"),
    name: `${path}: ${block.text.split("\n")[0]}`,
  }));
}

/** Code that would not be seen as a block: other fences, fences in lists and quotes, indented code, HTML, comments that begin otherwise. */
function unseen(text: string): string[] {
  const lines = prose(text).split("\n");
  return lines.filter(
    (line, i) =>
      /^\s*(?:>|[-*+]|\d+\.)?\s*~~~|^\s+```|^\s*(?:>|[-*+]|\d+\.)\s*```|<pre\b|<!--(?! sh test(?: |$))/i.test(line) ||
      (/^(?: {4}|\t)\S/.test(line) && lines[i - 1]?.trim() === ""),
  );
}

const documents = allDocuments();
const blocks = documents.flatMap(({ path, text }) => placed(path, text));

describe("every example in the documents is run", () => {
  test("no block is left over", () => {
    expect(blocks.filter((block) => block.way === undefined && block.reason === undefined).map((block) => block.at)).toEqual([]);
    expect(blocks.filter((block) => block.way !== undefined).length).toBeGreaterThan(60);
  });

  test.each(Object.entries(notRun).flatMap(([reason, { why, blocks: those }]) => those.map((name) => ({ reason, why, name }))))(
    "not run: $name ($why)",
    ({ reason, name }) => expect(blocks.filter((block) => block.reason === reason).map((block) => block.name)).toContain(name),
  );

  test("and no other says of itself that it is not run", () => {
    const marked = Object.groupBy(
      blocks.filter((block) => block.reason !== undefined),
      (block) => block.reason ?? "",
    );
    const found = Object.fromEntries(Object.entries(marked).map(([reason, group]) => [reason, group?.map((block) => block.name)]));
    expect(found).toEqual(Object.fromEntries(Object.entries(notRun).map(([reason, { blocks: those }]) => [reason, those])));
    expect(blocks.filter((block) => block.reason !== undefined && block.way !== undefined)).toEqual([]);
  });

  test("nor is there code that is no fenced block of ours", () => {
    expect(documents.flatMap(({ path, text }) => unseen(text).map((line) => `${path}: ${line}`))).toEqual([]);
  });

  test("what is not run names files and scripts that are there", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(["start", "test", "bench"]));
    expect(() => readFileSync(join(root, "bench/engine.bench.ts"))).not.toThrow();
    expect(() => readFileSync(join(root, "schema/pipeline.schema.json"))).not.toThrow();
  });
});

describe("a block that nobody runs is seen", () => {
  const fence = (info: string, text = "x"): string => `\`\`\`${info}\n${text}\n\`\`\`\n`;
  const left = (text: string, path = "docs/new.md"): string[] =>
    placed(path, text).flatMap((block) => (block.way === undefined ? [block.at] : []));

  test.each([
    ["shell without a word", fence("sh", "stepfall ps")],
    ["another shell", fence("bash test", "stepfall ps")],
    ["a console", fence("console", "$ stepfall ps")],
    ["YAML without a word", fence("yaml", "a: 1")],
    ["a piece of YAML", fence("yaml piece", "a: 1")],
    ["a pipeline that is only parsed", fence("yaml pipeline")],
    ["a pipeline that is written and not run", fence("yaml pipeline file=a.yaml") + fence("sh test", "stepfall run b.yaml")],
    ["a pipeline that was run before it was written", fence("sh test", "stepfall run a.yaml") + fence("yaml pipeline file=a.yaml")],
    ["a pipeline that is run in another project", fence("yaml pipeline file=a.yaml in=own") + fence("sh test", "stepfall run a.yaml")],
    ["TypeScript elsewhere", fence("ts run", "console.log(1)")],
    ["JSON that nobody reads", fence("json", "{}")],
    ["JavaScript", fence("js", "1")],
    ["a fence without a language", fence("", "1")],
  ])("%s", (_, text) => expect(left(text)).not.toEqual([]));

  test("and one that somebody runs is not", () => {
    expect(left(`${fence("yaml pipeline file=a.yaml")}<!-- sh test\nstepfall run a.yaml --merge\n-->\n`)).toEqual([]);
  });

  test.each([
    "~~~sh\nls\n~~~",
    "- a\n\n  ```sh\n  ls\n  ```",
    "- ```sh\n  ls\n  ```",
    "a\n\n    stepfall ps",
    "<pre>stepfall ps</pre>",
    "<!-- sh tests",
  ])("%j", (text) => expect(unseen(text)).not.toEqual([]));
});
