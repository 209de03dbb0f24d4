import { formatProblems } from "../../config/index.ts";
import type { Input, Pipeline } from "../../domain/index.ts";
import { openProject } from "../../workspace/index.ts";
import { loadSettings } from "../../setup/settings.ts";
import { Exit, type Cli } from "../cli.ts";
import { readPipelineFile, type PipelineFile } from "../setup/pipeline-file.ts";
import { plural } from "../show/format.ts";

/** What one screen holds; `validate` shows them all, screen by screen. */
const AT_ONCE = 10;

/** `stepfall validate FILE...`: what `run` would refuse in the files themselves. Starts and needs nothing. */
export async function validate(cli: Cli, files: readonly string[]): Promise<number> {
  const tiers = await tiersHere(cli);
  const read = await Promise.all(files.map(async (file) => ({ file, result: await readPipelineFile(cli, file, tiers) })));
  if (cli.json) cli.out.json({ version: 1, files: read.map(({ file, result }) => asData(file, result)) });
  for (const { file, result } of read) {
    if (!result.ok) tellProblems(cli, result);
    else if (!cli.json) cli.out.data(`${file} ok: ${summary(result.pipeline)}`);
  }
  return read.every(({ result }) => result.ok) ? Exit.ok : Exit.usage;
}

/** As the settings on disk have them; nothing where these are wrong themselves. */
async function tiersHere(cli: Cli): Promise<readonly string[] | undefined> {
  const project = await openProject(cli.cwd, { env: cli.env }).catch(() => undefined);
  const settings = await loadSettings(cli, { project }).catch(() => undefined);
  return settings?.tiers;
}

function tellProblems(cli: Cli, { problems, sources }: Extract<PipelineFile, { ok: false }>): void {
  // The lines of a file that holds a secret are shown only where all of its problems are seen at once.
  const mayShow = problems.length <= AT_ONCE || !problems.some((p) => p.code === "LITERAL_SECRET");
  for (let at = 0; at < problems.length; at += AT_ONCE)
    cli.out.note(formatProblems(problems.slice(at, at + AT_ONCE), mayShow ? sources : {}));
}

const asData = (file: string, result: PipelineFile): Record<string, unknown> =>
  result.ok
    ? {
        file,
        ok: true,
        name: result.pipeline.name,
        steps: result.pipeline.steps.length,
        inputs: result.pipeline.inputs ?? {},
        secrets: result.pipeline.secrets ?? [],
        problems: [],
      }
    : { file, ok: false, problems: result.problems };

function summary({ steps, inputs = {}, secrets = [] }: Pipeline): string {
  const named = Object.entries(inputs).map(([name, input]) => `${name} (${inputText(input)})`);
  return [
    plural(steps.length, "step"),
    ...(named.length > 0 ? [`${named.length === 1 ? "input" : "inputs"} ${named.join(", ")}`] : []),
    ...(secrets.length > 0 ? [`${secrets.length === 1 ? "secret" : "secrets"} ${secrets.join(", ")}`] : []),
  ].join("; ");
}

const inputText = ({ type, default: value }: Input): string =>
  value === undefined ? `${type}, required` : `${type}, default ${JSON.stringify(value)}`;
