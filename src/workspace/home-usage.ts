import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { measureFolder } from "./measure.ts";

/** What lies in Stepfall's folder, by kind. */
export const HOME_KINDS = ["workspaces", "caches", "transcripts", "journal", "gateway", "processes", "desks", "other"] as const;
export type HomeKind = (typeof HOME_KINDS)[number];

/** Bytes on disk. */
export type HomeUsage = Record<HomeKind, number> & { total: number };

const folders: Readonly<Record<string, HomeKind>> = {
  workspaces: "workspaces",
  cache: "caches",
  runs: "transcripts",
  gateway: "gateway",
  processes: "processes",
  keepers: "processes",
  desks: "desks",
};

/** Measures all of it: seconds where much is there. See DiskMeter for one that may be asked often. */
export async function measureHome(home: string, signal?: AbortSignal): Promise<HomeUsage> {
  const usage = { ...(Object.fromEntries(HOME_KINDS.map((kind) => [kind, 0])) as Record<HomeKind, number>), total: 0 };
  for (const name of await readdir(home).catch(() => [])) {
    const { bytes } = await measureFolder(join(home, name), { signal });
    const kind = name.startsWith("stepfall.db") ? "journal" : Object.hasOwn(folders, name) ? (folders[name] ?? "other") : "other";
    usage[kind] += bytes;
    usage.total += bytes;
  }
  return usage;
}

/** A measurement takes at most this part of the time, and is at most so old when little time passed. */
const SHARE = 20;
const LEAST_MS = 30_000;

/** What the home takes, measured anew when the last measurement is old for what it cost: it never takes more than a twentieth of the time. */
export class DiskMeter {
  readonly #home: string;
  readonly #now: () => number;
  #last: { at: number; tookMs: number; usage: HomeUsage } | undefined;
  #measuring: Promise<HomeUsage> | undefined;

  /** `now`: epoch ms. */
  constructor(home: string, now: () => number) {
    this.#home = home;
    this.#now = now;
  }

  usage(): Promise<HomeUsage> {
    const last = this.#last;
    if (last && this.#now() - last.at < Math.max(LEAST_MS, SHARE * last.tookMs)) return Promise.resolve(last.usage);
    return (this.#measuring ??= this.#measure().finally(() => (this.#measuring = undefined)));
  }

  /** Something was removed: the next answer is a new one. */
  forget(): void {
    this.#last = undefined;
  }

  async #measure(): Promise<HomeUsage> {
    const began = this.#now();
    const usage = await measureHome(this.#home);
    this.#last = { at: this.#now(), tookMs: this.#now() - began, usage };
    return usage;
  }
}
