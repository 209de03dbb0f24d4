import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { Scene } from "../../src/cli/cli.testkit.ts";
import type { ScriptedModel } from "../../src/models/index.ts";
import { rewriter, sendProvidersTo, standsIn } from "./endpoint.ts";
import { root, valueOf, type Block, type Document } from "./markdown.ts";
import { launcher } from "./program.ts";

/**
 * Plays the blocks of a document, in order, each in the project that its `in=NAME` names: test/docs/projects/NAME, committed; without it the
 * bundled example with its scripted model. `file=NAME` writes a block into the project, `sh test` is executed there (`exit=N` when it should end
 * with N, `cwd=clone` at the top of this repository). What stands in a comment that begins with `sh test` is executed as well: answers that people
 * give, and whether an example did what is said of it.
 */

export const isRun = (block: Block): boolean => block.language === "sh" && block.info.includes("test");

export interface Played {
  block: Block;
  code: number | null;
  wanted: number;
  output: string;
}

/** Providers that are named are the scripted model. */
export async function* play(blocks: readonly Block[], model: ScriptedModel): AsyncGenerator<Played> {
  await using stage = new AsyncDisposableStack();
  const rewrite = rewriter(standsIn(model));
  const scenes = new Map<string, Scene>();
  const sceneOf = (block: Block): Scene => {
    const name = valueOf(block, "in") ?? "";
    const scene = scenes.get(name) ?? stage.use(name === "" ? sampleProject() : projectOf(name));
    if (!scenes.has(name)) sendProvidersTo(model, scene);
    scenes.set(name, scene);
    return scene;
  };
  for (const block of blocks) {
    const file = valueOf(block, "file");
    if (file !== undefined) sceneOf(block).write({ [file]: rewrite(block.text) });
    if (!isRun(block)) continue;
    const ended = await runShell(sceneOf(block), rewrite(block.text), {
      cwd: block.info.includes("cwd=clone") ? root : undefined,
      OLLAMA_HOST: model.origin,
    });
    yield { block, wanted: Number(valueOf(block, "exit") ?? 0), ...ended };
  }
}

/** The documents' blocks that belong together: in one document, and in one project. */
export function scenesOf(document: Document, blocks: readonly Block[]): { at: string; blocks: Block[] }[] {
  const grouped = Map.groupBy(blocks, (block) => valueOf(block, "in") ?? "");
  return [...grouped]
    .filter(([, group]) => group.some(isRun))
    .map(([name, group]) => ({ at: name === "" ? document.path : `${document.path}, in ${name}`, blocks: group }));
}

const textFiles = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, "utf8")]),
  );

/** The bundled example, committed, with its scripted model: what `npm start` runs on. */
function sampleProject(): Scene {
  const example = join(root, "examples", "fix-and-verify");
  const files = textFiles(join(example, "project"));
  for (const name of ["pipeline.yaml", "stepfall.yaml", "model-script.json"]) files[name] = readFileSync(join(example, name), "utf8");
  return new Scene(files);
}

export function projectOf(name: string): Scene {
  const folder = join(root, "test", "docs", "projects", name);
  if (!existsSync(folder)) throw new Error(`in=${name}: there is no folder ${folder}`);
  return new Scene(textFiles(folder));
}

/** Programs of the names that a shell in the project finds first. */
export function install(scene: Scene, programs: Readonly<Record<string, string>>): string {
  const bin = join(scene.folder, "bin");
  mkdirSync(bin, { recursive: true });
  for (const [name, command] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${command} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** Prints a file of the newest run's branch. */
const resultProgram = `sh -c 'git show "$(git branch --list "stepfall/*" --sort=-committerdate --format "%(refname:short)" | head -1):$1"' result`;

/** A shell in which `stepfall` is this clone's, and `result FILE` shows what the last run left. */
async function runShell(
  scene: Scene,
  script: string,
  { cwd, ...env }: { cwd: string | undefined; OLLAMA_HOST: string },
): Promise<{ code: number | null; output: string }> {
  const bin = install(scene, { stepfall: `"${process.execPath}" "${launcher}"`, result: resultProgram });
  const child = spawn("/bin/sh", ["-eu"], {
    cwd: cwd ?? scene.project,
    env: {
      PATH: [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter),
      HOME: scene.folder,
      STEPFALL_HOME: scene.home,
      LC_ALL: "C.UTF-8",
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(script);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (t: string) => (output += t));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}
