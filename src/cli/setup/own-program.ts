import { join } from "node:path";
import { createLauncher, type Launcher } from "../../control/index.ts";
import type { Cli } from "../cli.ts";
import { packageRoot } from "../package-root.ts";

/** Starts this program again, as processes that outlive this one. */
export const ownLauncher = (cli: Pick<Cli, "env">): Launcher =>
  createLauncher(cli, [process.execPath, join(packageRoot, "bin", "stepfall.js")]);
