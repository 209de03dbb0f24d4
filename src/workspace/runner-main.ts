import { startGit } from "./git-process.ts";
import type { FromRunner, ToRunner } from "./runner.ts";

/**
 * The entry of the git runner: a small process that starts git for an engine. Starting a process copies the page tables of the one
 * that asks, which an engine with everything loaded pays for in time during which it can do nothing else (docs/adr/0014 has figures).
 * It holds no state, and ends with whoever started it.
 */
const running = new Map<number, () => void>();
const tell = (message: FromRunner): void => void process.send?.(message);

process.on("message", (message: ToRunner) => {
  if (message.kind === "kill") {
    running.get(message.id)?.();
    return;
  }
  const { id, command } = message;
  const { ended, kill } = startGit(command);
  running.set(id, kill);
  void ended.then((end) => {
    running.delete(id);
    tell({ kind: "ended", id, end });
  });
});
process.on("disconnect", () => {
  for (const kill of running.values()) kill();
  process.exit(0);
});
// A Ctrl-C on the terminal reaches this process as well: whether git goes on is the engine's to say.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
tell({ kind: "ready" });
