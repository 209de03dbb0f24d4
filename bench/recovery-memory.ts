import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KeeperHost } from "../src/agents/index.ts";

/** Bytes. PSS shares out pages that several processes have: only that adds up to what the machine holds. */
export interface Memory {
  processes: number;
  rss: number;
  pss: number;
}

const noMemory: Memory = { processes: 0, rss: 0, pss: 0 };

const largest = (a: Memory, b: Memory): Memory => (b.pss > a.pss ? b : a);

/**
 * Who holds memory. `helpers`: what the engine has started besides: git, its runner, agents of the preflight, keepers that are not on record yet. The
 * scripted model is in the benchmark's own process and in none of them.
 */
const parts = ["agents", "keepers", "engine", "helpers", "gateway"] as const;
export type Peaks = Record<(typeof parts)[number] | "all", Memory>;

/** Looking takes the kernel some milliseconds for each process: more often, it would be most of what the machine does. */
const LOOK_MS = 2000;

/** Looks again and again at what everybody holds, and keeps the most. */
export class MemoryWatch {
  readonly peaks: Peaks = { agents: noMemory, keepers: noMemory, engine: noMemory, helpers: noMemory, gateway: noMemory, all: noMemory };
  /** Processes that were the gateway, one after the other. */
  readonly gateways = new Set<number>();
  #lookedAt = -LOOK_MS;
  readonly #home: string;
  readonly #keepers: KeeperHost;
  readonly #engine: () => number;

  constructor(home: string, keepers: KeeperHost, engine: () => number) {
    this.#home = home;
    this.#keepers = keepers;
    this.#engine = engine;
  }

  /** Does nothing when the last look is not long ago. */
  look(): void {
    if (performance.now() - this.#lookedAt >= LOOK_MS) this.lookNow();
  }

  lookNow(): void {
    const children = childrenByParent();
    const kept = this.#keepers.list().flatMap((attempt) => this.#keepers.kept(attempt));
    const keepers = new Set(kept.flatMap(({ keeper, state }) => (keeper && state.kind === "running" ? [keeper.pid] : [])));
    const agents = kept.flatMap(({ agent, state }) => (agent && state.kind === "running" ? familyOf(agent.pid, children) : []));
    const gateway = gatewayPid(this.#home);
    const not = new Set([...keepers, ...(gateway === undefined ? [] : [gateway])]);
    const now = {
      agents: memoryOf(new Set(agents)),
      keepers: memoryOf(keepers),
      engine: memoryOf([this.#engine()]),
      helpers: memoryOf(familyOf(this.#engine(), children, not).slice(1)),
      gateway: gateway === undefined ? noMemory : memoryOf(familyOf(gateway, children)),
    };
    const all = { ...noMemory };
    for (const part of parts) {
      this.peaks[part] = largest(this.peaks[part], now[part]);
      all.processes += now[part].processes;
      all.rss += now[part].rss;
      all.pss += now[part].pss;
    }
    this.peaks.all = largest(this.peaks.all, all);
    if (gateway !== undefined) this.gateways.add(gateway);
    this.#lookedAt = performance.now();
  }

  /** Goes on looking while something is waited for. */
  async until(what: Promise<unknown>, deadline: number): Promise<undefined> {
    let isOver = false;
    void what.then(() => (isOver = true));
    while (!isOver && performance.now() < deadline) {
      this.look();
      await sleep(LOOK_MS);
    }
    return undefined;
  }

  /** What the agent of one of these attempts takes with its tools, on the mean. */
  agentOf(attempts: readonly string[]): Memory {
    const children = childrenByParent();
    const those = attempts
      .flatMap((attempt) => this.#keepers.kept(attempt))
      .flatMap(({ agent }) => (agent ? [memoryOf(familyOf(agent.pid, children))] : []));
    const over = (of: (memory: Memory) => number): number => those.reduce((sum, memory) => sum + of(memory), 0) / Math.max(1, those.length);
    return { processes: over((m) => m.processes), rss: over((m) => m.rss), pss: over((m) => m.pss) };
  }
}

/** Its holder; the worker is a child of it. */
function gatewayPid(home: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(join(home, "gateway", "gateway.json"), "utf8")) as { pid?: number }).pid;
  } catch {
    return undefined; // not started yet
  }
}

/** What these processes hold now. One that ends meanwhile holds nothing. */
function memoryOf(pids: Iterable<number>): Memory {
  const sum = { ...noMemory };
  for (const pid of pids) {
    const text = textOf(`/proc/${pid}/smaps_rollup`);
    const rss = kilobytes(text, "Rss");
    if (rss === 0) continue;
    sum.processes += 1;
    sum.rss += rss * 1024;
    sum.pss += kilobytes(text, "Pss") * 1024;
  }
  return sum;
}

/** Of each process its children. */
function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = textOf(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (Number.isInteger(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  return children;
}

/** A process with all its descendants, but not with what is below one of `not`. */
function familyOf(pid: number, children: ReadonlyMap<number, readonly number[]>, not: ReadonlySet<number> = new Set()): number[] {
  return [pid, ...(children.get(pid) ?? []).flatMap((child) => (not.has(child) ? [] : familyOf(child, children, not)))];
}

/** What the machine could still give, by the kernel's own estimate. */
export const availableBytes = (): number => kilobytes(textOf("/proc/meminfo"), "MemAvailable") * 1024;

const kilobytes = (text: string, name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it ended in the meantime
  }
}
