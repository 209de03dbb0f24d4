import type { HomeUsage } from "./home-usage.ts";

/** Bytes; `null`: no limit. */
export interface DiskLimits {
  /** Of Stepfall's folder. */
  diskBytes: number | null;
  /** That must stay free on its disk. */
  freeDiskBytes: number | null;
}

export type DiskRoom =
  | { kind: "ok" }
  /** Others are at work whose end gives room: ask again then. */
  | { kind: "wait"; because: string }
  | { kind: "refuse"; because: string; hint: string };

/**
 * Whether a further attempt may start. Pure. With others running it waits for them, since their workspaces go when they end; alone it is
 * refused, for nothing would change by waiting.
 */
export function diskRoom(now: { free: number; usage: HomeUsage | undefined; othersRunning: number }, limits: DiskLimits): DiskRoom {
  const because = shortage(now, limits);
  if (because === undefined) return { kind: "ok" };
  if (now.othersRunning > 0) return { kind: "wait", because };
  return { kind: "refuse", because, hint: "`stepfall gc` shows what can go, `stepfall clean --all` removes what finished runs left." };
}

function shortage({ free, usage }: { free: number; usage: HomeUsage | undefined }, limits: DiskLimits): string | undefined {
  const { diskBytes, freeDiskBytes } = limits;
  if (freeDiskBytes !== null && free < freeDiskBytes)
    return `only ${formatBytes(free)} are free on the disk of Stepfall's folder, and \`isolation.free-disk\` asks for ${formatBytes(freeDiskBytes)}`;
  if (diskBytes === null || !usage || usage.total <= diskBytes) return undefined;
  const { total, ...kinds } = usage;
  const largest = Object.entries(kinds)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 2)
    .filter(([, bytes]) => bytes > 0)
    .map(([kind, bytes]) => `${kind} ${formatBytes(bytes)}`);
  return `Stepfall's folder takes ${formatBytes(total)} (${largest.join(", ")}), more than \`isolation.disk\`: ${formatBytes(diskBytes)}`;
}

/** `1.5 GB`, in powers of ten as disks are sold. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Why an attempt was ended that passed its workspace's limit, for its journal and for people. */
export const workspaceFull = (bytes: number, limit: number): string =>
  `its workspace takes more than ${formatBytes(limit)} (\`isolation.workspace-disk\`): ${formatBytes(bytes)} were counted when it was ended`;
