import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openProject } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";

/** `stepfall init`: settings and a first pipeline. Never overwrites. */
export async function init(cli: Cli): Promise<number> {
  const { top } = await openProject(cli.cwd, { env: cli.env });
  const test = testCommand(top);
  const files = { "stepfall.yaml": settingsText, "pipeline.yaml": pipelineText(test) };
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
  if (cli.json) cli.out.json({ version: 1, project: top, written, kept, testCommand: test ?? null });
  else {
    for (const name of written) cli.out.data(`wrote ${join(top, name)}`);
    for (const name of kept) cli.out.data(`left ${join(top, name)} as it is`);
    if (written.length > 0) {
      cli.out.note(
        `${test ? `The gate is \`${test}\`, which this project's files suggest.` : "No test command was found: write a gate of your own into pipeline.yaml."}\nNext: edit pipeline.yaml, commit both files, and\n  ${cli.program} run pipeline.yaml --model PROVIDER/MODEL`,
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

function pipelineText(test: string | undefined): string {
  const gate = test ?? "'false'  # put the command here that tells whether the work is good: until then nothing is accepted";
  return `name: first
steps:
  change:
    prompt: |
      Describe the change here: what is wrong or missing, and how one sees that it is right.
    gates:
      - ${gate}
`;
}

/** The command that this project's files suggest for its tests. */
function testCommand(top: string): string | undefined {
  const has = (name: string): boolean => existsSync(join(top, name));
  if (has("package.json")) {
    const script = scriptsOf(join(top, "package.json"))["test"];
    if (script && !/no test specified/.test(script))
      return has("pnpm-lock.yaml") ? "pnpm test" : has("yarn.lock") ? "yarn test" : "npm test";
  }
  if (has("Cargo.toml")) return "cargo test";
  if (has("go.mod")) return "go test ./...";
  if (has("pytest.ini") || has("conftest.py") || has("tox.ini") || mentions(join(top, "pyproject.toml"), "pytest"))
    return "python3 -m pytest";
  if (mentions(join(top, "Makefile"), "\ntest:")) return "make test";
  return undefined;
}

function scriptsOf(file: string): Record<string, string> {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { scripts?: Record<string, string> }).scripts ?? {};
  } catch {
    return {};
  }
}

function mentions(file: string, text: string): boolean {
  try {
    return `\n${readFileSync(file, "utf8")}`.includes(text);
  } catch {
    return false;
  }
}
