import { openControl } from "../../control/index.ts";
import { serveMcpOnStdio } from "../../server/index.ts";
import { projectHere } from "../../setup/find-run.ts";
import { Exit, type Cli } from "../cli.ts";
import { actorOf } from "../setup/person.ts";
import { attemptAbove } from "../setup/attempt-above.ts";
import { ownLauncher } from "../setup/own-program.ts";

export interface McpFlags {
  allowApprove?: boolean | undefined;
  version: string;
}

/** `stepfall mcp`: Stepfall as tools of the program that started it, over its pipes, until that closes them. Runs go on without it. */
export async function mcp(cli: Cli, { allowApprove, version }: McpFlags): Promise<number> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, end);
  await using control = await openControl({ surroundings: cli, launcher: ownLauncher(cli) });
  const project = (await projectHere(cli))?.top;
  const within = attemptAbove(cli.env);
  const approvals = allowApprove === true ? "also the agent's to decide" : "decided by people";
  const may = within === undefined ? `approvals are ${approvals}` : `for the agent of ${within}, which may look and steer nothing`;
  cli.out.note(
    `Stepfall's MCP server, ${project === undefined ? "in no project" : `for ${project}`}; ${may}. It ends when its input does.`,
  );
  if (cli.canAsk) cli.out.note(`It is for programs to start, not for people. ${howToAdd(cli.program)}`);
  const options = {
    control,
    clock: cli.clock,
    version,
    ...(project === undefined ? {} : { project }),
    ...(within === undefined ? {} : { within }),
    person: actorOf(cli).replace(/^cli:?/, ""),
    rights: { steer: true, answer: true, approve: allowApprove === true },
    onError: (error: Error) => cli.out.note(`mcp: ${error.message}`),
  };
  await serveMcpOnStdio(options, { input: process.stdin, output: process.stdout }, stop.signal);
  return Exit.ok;
}

/** What a person who tries the command wants to know. */
const howToAdd = (program: string): string =>
  [
    "To add it:",
    `  Claude Code   claude mcp add stepfall -- ${program} mcp`,
    `  Codex         codex mcp add stepfall -- ${program} mcp`,
    `  others        a local (stdio) server with the command: ${program} mcp`,
  ].join("\n");
