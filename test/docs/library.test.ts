import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf, inlineCode, read, root, valueOf } from "./markdown.ts";

/**
 * docs/library.md against the source: its blocks type-check and print what they say they print, and every export of src/index.ts has a
 * heading. All blocks run in one process, one after the other, in a git project of their own.
 */
const document = read("docs/library.md");
const blocks = blocksOf(document.text)
  .filter((block) => block.language === "ts")
  .map((block, i) => ({
    ...block,
    file: valueOf(block, "file") ?? `block-${String(i + 1).padStart(2, "0")}.ts`,
    at: `docs/library.md:${block.line}`,
  }));

const runner = `
import { format } from "node:util";
const said = {};
for (const file of process.argv.slice(2)) {
  const lines = (said[file] = []);
  console.log = (...words) => void lines.push(format(...words));
  try {
    await import("./" + file);
  } catch (error) {
    lines.push("threw " + (error?.stack ?? error));
  }
}
process.stdout.write(JSON.stringify(said));
`;

let folder: string;
let project: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-library-docs-"));
  project = join(folder, "project");
  mkdirSync(project);
  // `stepfall` is the source; a package in node_modules would not be run as TypeScript, a link to one elsewhere is.
  const own = join(folder, "stepfall");
  mkdirSync(own);
  writeFileSync(join(own, "package.json"), JSON.stringify({ name: "stepfall", type: "module", exports: { ".": "./src/index.ts" } }));
  symlinkSync(join(root, "src"), join(own, "src"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(own, join(folder, "node_modules", "stepfall"));
  for (const name of ["zod", "@types"]) symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  writeFileSync(join(project, "runner.mjs"), runner);
  for (const { file, text } of blocks) writeFileSync(join(project, file), text);
  const git = (...args: string[]): void => void execFileSync("git", args, { cwd: project });
  git("init", "--quiet", "--initial-branch=main");
  git("-c", "user.name=Tester", "-c", "user.email=tester@localhost", "commit", "--quiet", "--allow-empty", "--message", "start");
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

describe("every block of docs/library.md", () => {
  test("is run", () => {
    expect(blocks.length).toBeGreaterThan(12);
    expect(blocks.filter((block) => !block.info.includes("run")).map((block) => block.at)).toEqual([]);
  });

  test("type-checks against the source", async () => {
    cpSync(join(root, "tsconfig.json"), join(folder, "base.json"));
    const options = { extends: "./base.json", compilerOptions: { types: ["node"], typeRoots: [join(root, "node_modules", "@types")] } };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ ...options, include: [], files: blocks.map((b) => join("project", b.file)) }),
    );
    const tsc = join(root, "node_modules", "@typescript", "native", "bin", "tsc");
    const done = await promisify(execFile)(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { cwd: folder }).catch(
      (error: Error & { stdout?: string }) => ({ stdout: error.stdout ?? error.message }),
    );
    expect(done.stdout).toBe("");
  });

  test("prints what it says it prints", { timeout: 120_000 }, async () => {
    const env = { PATH: process.env["PATH"], HOME: folder, USER: "ann", STEPFALL_HOME: join(folder, "home") };
    const files = blocks.map((block) => block.file);
    const { stdout } = await promisify(execFile)(process.execPath, ["runner.mjs", ...files], { cwd: project, env });
    const said = JSON.parse(stdout) as Record<string, string[]>;
    for (const { file, text, at } of blocks) {
      const promised = [...text.matchAll(/^\s*console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1] ?? "");
      // One that stands in a loop is said more than once: what it promises comes first.
      const lines = said[file] ?? [];
      if (/^ +console\.log\(/m.test(text)) for (const line of promised) expect(lines, at).toContain(line);
      else expect(lines, at).toEqual(promised);
      expect(promised.length, at).toBeGreaterThan(0);
      expect(lines.join("\n"), at).not.toContain("threw ");
    }
  });
});

test("every export of the package has a heading there, and every heading's name is an export", () => {
  const source = readFileSync(join(root, "src", "index.ts"), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  const exported = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap((match) => (match[1] ?? "").split(","))
    .map((name) => name.replace(/^\s*type\s/, "").trim())
    .filter((name) => name !== "");
  expect(exported.length).toBeGreaterThan(50);
  const headings = document.text.split("\n").filter((line) => line.startsWith("### "));
  expect(headings.flatMap(inlineCode).sort()).toEqual(exported.sort());
});
