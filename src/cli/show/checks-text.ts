import type { Checks, FoundCommand, Task } from "../../planning/index.ts";
import type { Cli } from "../cli.ts";
import { firstLine } from "./format.ts";

/** Says before a run starts what will decide about it, where that comes from, and how to have it otherwise. */
export function tellChecks({ out }: Pick<Cli, "out">, { gates, setup, notes }: Checks, tasks: readonly Task[]): void {
  const list = (commands: readonly FoundCommand[]): string => {
    const widest = Math.max(...commands.map(({ command }) => firstLine(command, 50).length));
    return commands.map(({ command, from }) => `\n  ${firstLine(command, 50).padEnd(widest)}  (${from})`).join("");
  };
  const unchecked = tasks.filter((task) => (task.gates ?? gates).length === 0 && task.outputs === undefined);
  if (gates.length > 0) out.note(`gates: they decide whether work is accepted, and were not run before${list(gates)}`);
  if (unchecked.length > 0) out.note("no gate: any change at all is accepted, and nothing checks whether it is a good one");
  if (setup.length > 0) out.note(`setup of every workspace${list(setup)}`);
  for (const note of notes) out.note(`note: ${note}`);
  out.note("other ones: --gate CMD (may be given several times), --no-gates, --setup CMD, --no-setup");
}
