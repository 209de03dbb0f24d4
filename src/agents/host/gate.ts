import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Duplex, Readable, Writable } from "node:stream";
import type { SpawnSpec } from "../contract.ts";
import type { Bridge } from "../sandbox/bridge.ts";
import { confinedArgv } from "../sandbox/inside.ts";
import { closeAll, type PipeMaker } from "./pipes.ts";
import { ATTEMPT_VARIABLE } from "./process.ts";

/** A process that waits behind the gate: it has its final pid, and has not run its program. */
export interface GatedProcess {
  child: ChildProcess;
  /** Only when it stays open. */
  stdin: Writable | undefined;
  stdout: Readable;
  stderr: Readable;
  /** Lets the program run, under the same pid. */
  go(): void;
  /** Ends it without the program having run. */
  refuse(): void;
  /** What the shell says on stderr, behind this, when the program cannot be executed. */
  complaint: string;
}

/** The shell puts these into the environment by itself. */
const shellVariables = ["PWD", "OLDPWD", "SHLVL"];

/**
 * Waits for `go` on descriptor 3, closes it, becomes the program. End of file instead means that the parent died before
 * the process was on record: it ends, and nothing was run. `sh` keeps its name in front of its errors, so a random one
 * tells "not found" from a program that exits 127 itself. Our own descriptors are closed by the system; those this
 * process was given by its parent (a job server's, a terminal's) are closed here, as far as sh can name them.
 */
function gateScript(unset: string): string {
  return [
    "IFS= read -r _stepfall_go <&3 || exit 125",
    '[ "$_stepfall_go" = go ] || exit 125',
    `unset _stepfall_go ${unset}`,
    `exec ${["3", "4", "5", "6", "7", "8", "9"].map((fd) => `${fd}<&-`).join(" ")}`,
    'exec "$@"',
  ].join("\n");
}

/** Rejects when no process could be made at all: no such folder, arguments too long, no more processes allowed. */
export async function startGated(spec: SpawnSpec, pipes: PipeMaker): Promise<GatedProcess> {
  const complaint = `stepfall-gate-${randomBytes(6).toString("hex")}`;
  // On macOS opening /dev/stdout duplicates the descriptor, so Node's sockets do there.
  const output = process.platform === "linux" ? await pipes.output() : undefined;
  const ourCopies = [...(output?.childFds ?? [])];
  let child: ChildProcess;
  let bridge: Bridge | undefined;
  try {
    // Loaded only where it is needed: a keeper is to be small.
    if (spec.confine) bridge = await (await import("../sandbox/bridge.ts")).openBridge(spec.confine);
    let stdin: "pipe" | "ignore" | number = spec.stdin === "open" ? "pipe" : "ignore";
    if (stdin === "ignore" && spec.input !== undefined) ourCopies.push((stdin = pipes.input(spec.input)));
    const unset = shellVariables.filter((name) => !(name in spec.env)).join(" ");
    const argv = spec.confine ? confinedArgv(spec.confine, spec.argv, { complaint, unset, ways: bridge?.ways ?? "" }) : spec.argv;
    child = spawn("/bin/sh", ["-c", gateScript(unset), complaint, ...argv], {
      cwd: spec.cwd,
      env: { ...spec.env, ...spec.confine?.env, [ATTEMPT_VARIABLE]: spec.attempt },
      detached: true,
      stdio: [stdin, output?.childFds[0] ?? "pipe", output?.childFds[1] ?? "pipe", "pipe"],
    });
    if (child.pid === undefined) await new Promise((_, reject) => child.once("error", reject));
  } catch (error) {
    bridge?.close();
    output?.stdout.destroy();
    output?.stderr.destroy();
    throw error;
  } finally {
    closeAll(ourCopies); // or the output would never end
  }
  child.once("exit", () => bridge?.close()); // with the outer process of a sandbox all of it is gone
  child.on("error", () => {}); // a signal that could not be sent: the scan of the process table decides, not this
  child.stdin?.on("error", () => {}); // it may end without reading what it was given
  if (spec.stdin === "open" && spec.input !== undefined) child.stdin?.write(spec.input);
  const gate = child.stdio[3] as Duplex;
  gate.on("error", () => {}); // it may be dead already
  return {
    child,
    stdin: child.stdin ?? undefined,
    stdout: output?.stdout ?? (child.stdout as Readable),
    stderr: output?.stderr ?? (child.stderr as Readable),
    go: () => void gate.end("go\n"),
    refuse: () => void gate.destroy(),
    complaint,
  };
}
