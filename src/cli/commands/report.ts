import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { openControl } from "../../control/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { findRun } from "../../setup/find-run.ts";
import { withStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { ownLauncher } from "../setup/own-program.ts";

/** `stepfall report [RUN]`: a run in Markdown, as it stands. */
export async function report(
  cli: Cli,
  given: string | undefined,
  { out, phase }: { out?: string | undefined; phase?: string | undefined },
): Promise<number> {
  const { runId } = await withStore(cli, (store) => findRun(cli, store, given));
  await using control = await openControl({ surroundings: cli, launcher: ownLauncher(cli) });
  const markdown = await control.report(runId, phase);
  if (out !== undefined) {
    const file = resolve(cli.cwd, out);
    write(file, markdown);
    if (cli.json) cli.out.json({ version: 1, type: "report", runId, file });
    else cli.out.note(`Written to ${file}`);
  } else if (cli.json) cli.out.json({ version: 1, type: "report", runId, markdown });
  else cli.out.data(markdown.trimEnd());
  return Exit.ok;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw new RequestError("USAGE", (error as Error).message, "Give another file.");
    throw new RequestError("FILE_EXISTS", `${file} is there already`, "Give another file, or remove it.");
  }
}
