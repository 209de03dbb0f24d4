import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_YAML_BYTES, readTextFile } from "../../config/index.ts";
import { findChecks, fitTemplate, type Checks } from "../../planning/index.ts";
import { openProject } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { RequestError } from "../../setup/failure.ts";
import { requireTemplate, templates, templateText, type TemplateName } from "../setup/templates.ts";

/** `stepfall init`: settings and a first pipeline, or one that comes along. Never overwrites. */
export async function init(cli: Cli, flags: { template: string | undefined }): Promise<number> {
  const template = flags.template === undefined ? undefined : requireTemplate(flags.template);
  const { top } = await openProject(cli.cwd, { env: cli.env });
  const checks = checksOnDisk(top);
  const pipeline = "pipeline.yaml";
  if (template !== undefined && existsSync(join(top, pipeline)))
    throw new RequestError("FILE_EXISTS", `${pipeline} is there already, and ${template} would become it`, "Rename or remove it first.");
  const files = { "stepfall.yaml": settingsText, [pipeline]: textOf(template, checks) };
  const written: string[] = [];
  const kept: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const path = join(top, name);
    // `wx`: also not when it appears between a look and the write.
    if (existsSync(path)) kept.push(name);
    else {
      writeFileSync(path, text, { flag: "wx" });
      written.push(name);
    }
  }
  const gates = checks.gates.map((gate) => gate.command);
  if (cli.json) cli.out.json({ version: 1, project: top, written, kept, testCommand: gates[0] ?? null, gates });
  else {
    for (const name of written) cli.out.data(`wrote ${join(top, name)}`);
    for (const name of kept) cli.out.data(`left ${join(top, name)} as it is`);
    if (written.length > 0) {
      const { hasAgents, inputs } = template === undefined ? { hasAgents: true, inputs: "" } : templates[template];
      const found =
        gates.length === 0
          ? `No test command was found: write a gate of your own into ${pipeline}.\n`
          : `The gates are ${gates.map((gate) => `\`${gate}\``).join(", ")}, which this project's files suggest.\n`;
      cli.out.note(
        `${hasAgents ? found : ""}Next: edit ${pipeline}, commit ${written.length === 1 ? "the file" : "both files"}, and\n  ${cli.program} run ${pipeline}${hasAgents ? " --model PROVIDER/MODEL" : ""}${inputs}`,
      );
    }
  }
  return Exit.ok;
}

const settingsText = `# Settings of this project for Stepfall. They are read from the commit a run starts from.
# agents:
#   coder: { executor: chat, model: ollama/qwen3-coder }     # or openai/..., anthropic/..., gemini/...
# providers:
#   mine: { url: http://127.0.0.1:8080/v1, key-env: MY_MODEL_KEY }
# default-agent: coder
# slots: 4
# setup: [npm ci]            # prepares every workspace
# protected: [test/**]       # no attempt may change these
`;

/** The placeholder `npm test` becomes what the project is checked with. */
const firstText = `name: first
steps:
  change:
    prompt: |
      Describe the change here: what is wrong or missing, and how one sees that it is right.
    gates:
      - npm test
`;

function textOf(template: TemplateName | undefined, { gates, setup }: Checks): string {
  return fitTemplate(template === undefined ? firstText : templateText(template), {
    gates: gates.map((gate) => gate.command),
    setup: setup.map(({ command }) => command),
  });
}

/** What the files on disk suggest, committed or not: of the top folder and those in it. */
function checksOnDisk(top: string): Checks {
  const files = readdirSync(top, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    return /^(?:\.|node_modules$)/.test(entry.name) ? [] : namesIn(join(top, entry.name)).map((name) => `${entry.name}/${name}`);
  });
  return findChecks(files, (path) => {
    const read = readTextFile(join(top, path), MAX_YAML_BYTES);
    return read.ok ? read.text : undefined;
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
