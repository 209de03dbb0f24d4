import { userInfo } from "node:os";
import { ACTOR_VARIABLE, openMasks, type Asking } from "../../control/index.ts";
import type { Store } from "../../store/index.ts";
import type { Cli } from "../cli.ts";

/** Who asks, for the journal: the person at the terminal, or in whose name a server has started this process. */
export function actorOf(cli: Pick<Cli, "env">): string {
  const given = cli.env[ACTOR_VARIABLE];
  if (given !== undefined && /^[a-z]+:[^\s:][^\r\n]{0,99}$/.test(given)) return given;
  const name = cli.env["USER"] || cli.env["LOGNAME"];
  if (name) return `cli:${name}`;
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return "cli";
  }
}

/** The person at this terminal, asking. */
export const askingAs = (cli: Cli, store: Store): Asking => ({
  store,
  clock: cli.clock,
  actor: actorOf(cli),
  maskOf: ({ project, pipeline }) => openMasks(cli).of(project, pipeline.secrets),
});
