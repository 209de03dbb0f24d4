import type { Cli } from "../cli.ts";
import { findRun } from "../../setup/find-run.ts";
import { mergeRun } from "../setup/merge-run.ts";
import { withStore } from "../../setup/store.ts";

/** `stepfall merge [RUN]` */
export async function merge(cli: Cli, given: string | undefined, options: { partial: boolean }): Promise<number> {
  const { runId } = await withStore(cli, (store) => findRun(cli, store, given));
  return mergeRun(cli, runId, options);
}
