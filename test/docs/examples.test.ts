import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ScriptedModel } from "../../src/models/index.ts";
import { parsePipeline } from "../../src/pipeline/index.ts";
import { startProviders } from "./endpoint.ts";
import { allDocuments, blocksOf, brokenAnchors, brokenLinks, inlineCode, prose, read, root } from "./markdown.ts";
import { play, scenesOf } from "./play.ts";
import { commandsByHelp, globalFlags, stepfall } from "./program.ts";

/**
 * Documents are run. What stands behind a fence's language tells how:
 * `yaml pipeline` is parsed by the real parser and run by an `sh test` near it (play.ts); `yaml settings` are run in settings.test.ts, `ts` in
 * library.test.ts; fences.test.ts knows of every block what is done with it.
 */
const documents = allDocuments();
const blocks = documents.flatMap(({ path, text }) => blocksOf(text).map((block) => ({ path, block, at: `${path}:${block.line}` })));
const marked = (language: string, word: string) => blocks.filter(({ block }) => block.language === language && block.info.includes(word));

describe("every pipeline in the documents parses", () => {
  test.each(marked("yaml", "pipeline"))("$at", ({ block, at }) => {
    const parsed = parsePipeline(block.text, at);
    expect(parsed.ok ? [] : parsed.problems).toEqual([]);
  });
});

describe("commands in the documents run as they are written", () => {
  let model: ScriptedModel;
  beforeAll(async () => void (model = await startProviders()));
  afterAll(() => model.close());

  // All of them take minutes: `npm run test:long`, or this file alone.
  const isShort = process.env["STEPFALL_TEST_BUNDLE"] === "1" && process.env["STEPFALL_LONG"] !== "1";
  const short = ["README.md"];
  const played = isShort ? documents.filter(({ path }) => short.includes(path)) : documents;
  const scenes = played.flatMap((document) => scenesOf(document, blocksOf(document.text)));
  test("there are some, in the README too", () => expect(scenes.map((scene) => scene.at)).toContain("README.md"));
  test.each(scenes)("$at", { timeout: 240_000 }, async ({ at, blocks: played }) => {
    for await (const { block, code, wanted, output } of play(played, model)) expect(code, `${at}:${block.line}\n${output}`).toBe(wanted);
  });
});

describe("what the documents name is there", () => {
  test("links and their headings", () => {
    expect(documents.flatMap((d) => [...brokenLinks(d), ...brokenAnchors(d)].map((link) => `${d.path}: ${link}`))).toEqual([]);
  });

  test("files of this repository", () => {
    const named = documents.flatMap((d) =>
      inlineCode(prose(d.text))
        .filter((code) => /^(?:src|docs|test|bench|scripts|examples|schema|bin)\/[\w./-]+$/.test(code))
        .map((code) => [d.path, code] as const),
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter(([, code]) => !existsSync(join(root, code))).map(([path, code]) => `${path}: ${code}`)).toEqual([]);
  });

  // docs/status.md names what is planned, and is held to it by status.test.ts.
  const said = documents.filter((d) => d.path !== "docs/status.md" && !d.path.startsWith("docs/adr/"));

  test("commands and flags", async () => {
    const commands = await commandsByHelp();
    const names = new Set(commands.map((c) => c.name));
    const everywhere = await globalFlags();
    const known = new Set([...everywhere, "--help", ...commands.flatMap((c) => c.flags)]);
    const wrong: string[] = [];
    for (const { path, text } of said) {
      const shell = blocksOf(text).flatMap((b) => (b.language === "sh" ? b.text.split("\n") : []));
      for (const line of [...shell, ...inlineCode(prose(text))]) {
        for (const [, call = ""] of line.matchAll(/(?:^|&& |\|\| |= ?)(?:\w+=\S+ )*stepfall ([^|&;#]*)/g)) {
          const name = /^(?:--\S+ )*([a-z][a-z-]*)\b/.exec(call)?.[1];
          if (name !== undefined && !names.has(name)) wrong.push(`${path}: there is no command ${name}`);
          const unquoted = call.replaceAll(/"[^"]*"/g, "");
          const flags = [...unquoted.matchAll(/(?:^|\s)(--[a-z][a-z-]*)/g)].map((m) => m[1] ?? "");
          const own = new Set([...everywhere, "--help", ...(commands.find((c) => c.name === name)?.flags ?? [])]);
          for (const flag of flags) if (!own.has(flag)) wrong.push(`${path}: ${name ?? "stepfall"} has no flag ${flag}`);
        }
        const alone = /^(--[a-z][a-z-]*)\b/.exec(line)?.[1];
        if (alone !== undefined && !known.has(alone)) wrong.push(`${path}: no command has the flag ${alone}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("docs/cli.md has a part for every command, and in it every flag", async () => {
    const { text } = read("docs/cli.md");
    for (const { name, flags } of await commandsByHelp()) {
      const part = new RegExp(`^### stepfall ${name}\\b[\\s\\S]*?(?=^##|(?![\\s\\S]))`, "m").exec(text)?.[0];
      expect(part, `### stepfall ${name}`).toBeDefined();
      for (const flag of flags) expect(part, `${name} ${flag}`).toContain(flag);
    }
    for (const flag of await globalFlags()) expect(text).toContain(`\`${flag}`);
  });

  test("environment variables, there and back", () => {
    const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((f) => f.endsWith(".ts") && !/\.(test|testkit|child)\.ts$|conformance/.test(f))
      .map((f) => readFileSync(join(root, "src", f), "utf8"))
      .join("\n");
    const named = new Set(said.flatMap((d) => [...d.text.matchAll(/\bSTEPFALL_[A-Z_]+\b/g)].map((m) => m[0])));
    expect([...named].filter((name) => !sources.includes(name))).toEqual([]);
    const settings = read("docs/settings.md").text;
    const inCode = new Set([...sources.matchAll(/\bSTEPFALL_[A-Z]+(?:_[A-Z]+)*\b/g)].map((m) => m[0]));
    expect([...inCode].filter((name) => !settings.includes(name))).toEqual([]);
  });

  test("defaults of a step are those the parser gives", () => {
    const parsed = parsePipeline("steps:\n  a: { prompt: x, gates: [y] }\n  b: { command: x, gates: [y] }\n", "p.yaml");
    if (!parsed.ok) throw new Error("it should parse");
    const [agent, command] = parsed.pipeline.steps;
    const { text } = read("docs/pipeline.md");
    const row = (key: string): string => text.split("\n").find((l) => l.startsWith(`| \`${key}\` |`)) ?? "";
    const tries =
      agent?.retry.attempts === command?.retry.attempts
        ? `${agent?.retry.attempts}`
        : `${agent?.retry.attempts}; ${command?.retry.attempts}`;
    expect(row("retry")).toContain(`| ${tries}`);
    expect(row("timeout")).toContain(`| ${(agent?.timeoutMs ?? 0) / 60_000}m`);
    const gate = agent?.gates[0];
    expect(text).toContain(`default \`${gate?.kind === "command" ? gate.timeoutMs / 60_000 : 0}m\``);
  });
});

test(
  "the output of npm start that the README shows is what the demo says, but for ids, figures and times",
  { timeout: 60_000 },
  async () => {
    const shown = blocksOf(read("README.md").text).find((b) => b.language === "text");
    const folder = mkdtempSync(join(tmpdir(), "stepfall-readme-"));
    try {
      const { code, stdout, stderr } = await stepfall(["demo"], { cwd: folder, env: { HOME: folder, TMPDIR: folder } });
      expect(code).toBe(0);
      const real = new Set(`${stderr}\n${stdout}`.split("\n").map(withoutFigures));
      const lines = (shown?.text ?? "").split("\n").filter((line) => line.trim() !== "" && !line.includes("[...]"));
      expect(lines.length).toBeGreaterThan(35);
      expect(lines.map(withoutFigures).filter((line) => !real.has(line))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

const withoutFigures = (line: string): string =>
  line
    .replace(/\b[0-9a-hjkmnp-tv-z]{26}\b/g, "ID")
    .replace(/\b\d+(?:\.\d+)? (?:ms|s)\b/g, "TIME")
    .replace(/\d[\d.,:]*/g, "N")
    .replace(/\s+/g, " ")
    .trim();

test("no document names a machine, a home folder or an unmeasured number to be filled in later without saying so", () => {
  for (const { path, text } of documents) expect(text, path).not.toMatch(/\/home\/|\/Users\/|\/root\/|\/work\/|TODO|TBD|XXX/);
});
