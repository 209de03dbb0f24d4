import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { formatProblems, MAX_YAML_BYTES, readTextFile } from "../../config/index.ts";
import { importActions, type ImportedActions, type ImportNote } from "../../pipeline/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { RequestError, InputProblems } from "../../setup/failure.ts";
import { plural } from "../show/format.ts";

type Imported = Extract<ImportedActions, { ok: true }>;

/** `stepfall import FILE`: a GitHub Actions workflow as a pipeline, on stdout or in a new file. What is not the same is said on stderr. */
export function importWorkflow(cli: Cli, file: string, flags: { out: string | undefined }): number {
  const read = readTextFile(resolve(cli.cwd, file), MAX_YAML_BYTES);
  if (!read.ok) {
    const problems = [{ ...read.problem, file }];
    throw new InputProblems(problems, formatProblems(problems));
  }
  const imported = importActions(read.text, file);
  if (!imported.ok) throw new InputProblems(imported.problems, formatProblems(imported.problems, { [file]: read.text }));
  const { dag, pipeline, notes, unloadable } = imported;
  if (flags.out !== undefined) writeNew(cli, flags.out, pipeline);
  if (cli.json) cli.out.json({ version: 1, file, out: flags.out ?? null, pipeline, dag, notes, unloadable });
  else if (flags.out === undefined) cli.out.data(pipeline.trimEnd());
  else cli.out.data(`wrote ${flags.out}: ${plural(dag.jobs.length, "step")}`);
  tell(cli, imported, file, flags.out);
  return unloadable.length === 0 ? Exit.ok : Exit.failed;
}

/** Never overwrites, also not what appears between a look and the write. */
function writeNew(cli: Cli, out: string, text: string): void {
  const path = resolve(cli.cwd, out);
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new RequestError("FILE_EXISTS", `${out} is there already`, "Name another file, or remove it first.");
    throw new RequestError("USAGE", `${out} cannot be written (${code ?? String(error)})`, "Is its folder there, and may you write to it?");
  }
}

const effects: Readonly<Record<ImportNote["effect"], string>> = {
  stops: "fails there",
  changed: "done in another way",
  dropped: "left out",
};

function tell(cli: Cli, { notes, unloadable, pipeline }: Imported, file: string, out: string | undefined): void {
  for (const { line, name, effect, message } of notes) cli.out.note(`${file}:${line} ${name}: ${effects[effect]}: ${message}`);
  if (unloadable.length === 0) return;
  const where = out ?? "the pipeline";
  cli.out.note(
    `${where} does not load as it is:\n${formatProblems(
      unloadable.map((p) => ({ ...p, file: where })),
      pipeline,
    )}`,
  );
}
