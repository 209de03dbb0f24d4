import { mergeRun as mergeInto } from "../../control/index.ts";
import { loadRun, projectHere } from "../../setup/find-run.ts";
import { homeOf } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import { openProject, type Project } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { plural } from "../show/format.ts";
import { askingAs } from "./person.ts";

/** The project of a run: the work tree the person stands in when it is one of it, else where the run was started. */
async function projectOf(cli: Cli, top: string): Promise<Project> {
  const here = await projectHere(cli);
  if (here?.top === top) return here;
  const there = await openProject(top, { env: cli.env });
  return here?.id === there.id ? here : there;
}

/** Merges a run's branch into what is checked out, and records it. Prints what it did. */
export async function mergeRun(cli: Cli, runId: string, options: { partial: boolean; quiet?: boolean }): Promise<number> {
  return withStore(cli, async (store) => {
    const project = await projectOf(cli, (await loadRun(store, runId)).project);
    const { already, ...merged } = await mergeInto(askingAs(cli, store), runId, { home: homeOf(cli), project, partial: options.partial });
    const { branch, into, commit, files } = merged;
    if (options.quiet) return Exit.ok;
    if (cli.json) cli.out.json({ version: 1, ...merged, already });
    else if (already) cli.out.data(`${branch} is in ${into} already (${commit.slice(0, 12)})`);
    else
      cli.out.data(`merged ${branch} into ${into} (${commit.slice(0, 12)}) in ${merged.project}: ${plural(files.length, "file")} changed`);
    return Exit.ok;
  });
}
