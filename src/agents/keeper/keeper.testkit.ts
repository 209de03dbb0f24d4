import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentHandle, OutputLine, SpawnSpec } from "../contract.ts";
import type { KeeperHost, KeeperHostOptions } from "./contract.ts";
import { createKeeperHost } from "./host.ts";

export const clock = { now: (): number => Date.now() };

export const keeperHost = (home: string, more: Partial<KeeperHostOptions> = {}): KeeperHost =>
  createKeeperHost({ home, clock, mask: (text) => text, secrets: () => [], grace: { termMs: 200, intMs: 100 }, beatMs: 50, ...more });

export const specIn = (folder: string, attempt: string, script: string, more: Partial<SpawnSpec> = {}): SpawnSpec => ({
  attempt,
  role: "agent",
  argv: ["sh", "-c", script],
  cwd: folder,
  env: { PATH: "/usr/bin:/bin" },
  deadlineMs: 20_000,
  transcript: join(folder, "transcripts", "agent.ndjson"),
  ...more,
});

export async function collect(lines: AsyncIterable<OutputLine>): Promise<OutputLine[]> {
  const all: OutputLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

export const texts = async (handle: AgentHandle): Promise<string[]> => (await collect(handle.lines())).map((line) => line.text);

export async function until<T>(look: () => T | undefined | false, ms = 15_000): Promise<T> {
  for (const end = performance.now() + ms; ; await sleep(5)) {
    const found = look();
    if (found) return found;
    if (performance.now() > end) throw new Error("waited too long");
  }
}

/** Pids of living processes whose environment or command line holds the marker; asked of the system, not of the code under test. */
export function withMarker(marker: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, "utf8").includes(marker) || readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(marker)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}
