import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { processStartTime } from "../../src/agents/index.ts";

/** A process that belongs to a scene: its folder is in its environment, its command line or its working folder. */
export interface OursProcess {
  pid: number;
  ppid: number;
  startTime: string;
  command: string;
  /** `STEPFALL_ATTEMPT`, where it has one. */
  attempt: string | undefined;
  /** Stopped (SIGSTOP). */
  isStopped: boolean;
}

/** All processes of a scene. The scene's folder has a name that nobody else has. Zombies have no command line and are not among them. */
export function processesIn(folder: string): OursProcess[] {
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (oursAt(Number(name), folder) ?? []) : []));
}

function oursAt(pid: number, folder: string): OursProcess | undefined {
  const of = (file: string): string => readFileSync(`/proc/${pid}/${file}`, "utf8");
  try {
    const command = of("cmdline").replaceAll("\0", " ").trim();
    const environ = of("environ");
    if (!command.includes(folder) && !environ.includes(folder) && !readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)) return undefined;
    const stat = of("stat");
    const [state = "", ppid = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const attempt = environ.split("\0").find((e) => e.startsWith("STEPFALL_ATTEMPT="));
    if (state === "Z") return undefined;
    return {
      pid,
      ppid: Number(ppid),
      startTime: processStartTime(pid) ?? "",
      command,
      attempt: attempt?.slice("STEPFALL_ATTEMPT=".length),
      isStopped: state === "T",
    };
  } catch {
    return undefined; // it ended in the meantime
  }
}

export const isThere = ({ pid, startTime }: { pid: number; startTime: string }): boolean =>
  startTime !== "" && processStartTime(pid) === startTime;

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it ended in the meantime
  }
}

/** The machine goes down: everything is stopped first, so that nobody sees another one die, and then killed. Answers how many there were. */
export function killMachine(folder: string): number {
  const stopped = new Set<number>();
  for (let before = -1; before !== stopped.size;) {
    before = stopped.size;
    for (const { pid } of processesIn(folder)) {
      if (!stopped.has(pid)) signal(pid, "SIGSTOP");
      stopped.add(pid);
    }
  }
  for (const pid of stopped) signal(pid, "SIGKILL");
  return stopped.size;
}

/** An agent under its keeper, as they put themselves on record. */
export interface KeptAgent {
  attempt: string;
  folder: string;
  keeper?: { pid: number; startTime: string };
  agent?: { pid: number; startTime: string };
  /** How it ended is on disk. */
  isOver: boolean;
}

/** What keepers of a run have on disk. */
export function keptAgents(home: string, runId: string): KeptAgent[] {
  const root = join(home, "keepers");
  return namesIn(root).flatMap((name) => {
    const attempt = textOf(join(root, name, "attempt")) ?? "";
    if (!attempt.startsWith(`${runId}/`)) return [];
    return namesIn(join(root, name))
      .filter((n) => /^\d+$/.test(n))
      .map((n) => {
        const folder = join(root, name, n);
        const keeper = json(join(folder, "keeper.json"))?.["keeper"] as KeptAgent["keeper"];
        const agent = json(join(folder, "agent.json"))?.["agent"] as KeptAgent["agent"];
        const isOver = textOf(join(folder, "exit.json")) !== undefined;
        return { attempt, folder, isOver, ...(keeper ? { keeper } : {}), ...(agent ? { agent } : {}) };
      });
  });
}

/** The gateway's holder and its worker. */
export function gatewayOf(home: string, folder: string): { holder?: OursProcess; worker?: OursProcess } {
  const pid = Number(json(join(home, "gateway", "gateway.json"))?.["pid"] ?? 0);
  const all = processesIn(folder);
  const holder = all.find((p) => p.pid === pid);
  const worker = all.find((p) => p.ppid === pid && isGateway(p));
  return { ...(holder ? { holder } : {}), ...(worker ? { worker } : {}) };
}

export const isGateway = ({ command }: OursProcess): boolean => /gateway-main\.js|gateway\/main\.ts/.test(command);

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function json(path: string): Record<string, unknown> | undefined {
  const text = textOf(path);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}
