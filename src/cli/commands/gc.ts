import { parseDuration } from "../../config/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { homeOf, loadSettings } from "../../setup/settings.ts";
import { openStoreIfThere } from "../../setup/store.ts";
import { cacheFolder, formatBytes, freeDisk, HOME_KINDS, measureHome, openProject, type HomeUsage } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { cachesBeyond, oldTranscripts, orphanedFiles } from "../gc/files.ts";
import { Living } from "../gc/living.ts";
import type { Found, Orphan, OrphanKind } from "../gc/orphan.ts";
import { orphanedPorts } from "../gc/ports.ts";
import { orphanedProcesses } from "../gc/processes.ts";
import { orphanedRefs } from "../gc/refs.ts";
import { orphanedWorkspaces } from "../gc/workspaces.ts";
import { plural } from "../show/format.ts";
import { table } from "../show/table.ts";

export interface GcOptions {
  /** Remove; without it, only show. */
  apply: boolean;
  /** A duration: how long a run is over before its refs count. */
  olderThan?: string | undefined;
  /** A duration; without it transcripts stay. */
  transcriptsOlderThan?: string | undefined;
}

const DEFAULT_AGE = "7d";

/** An orphan, as it is told. */
interface Told {
  kind: OrphanKind;
  what: string;
  why: string;
  bytes?: number;
  /** `in-use`: somebody began to use it while this looked. */
  outcome?: "removed" | "in-use" | "failed";
  problem?: string;
}

/** `stepfall gc`: what nobody owns any more, and with `--yes` away with it. What `clean` is for, results of finished runs, it leaves alone. */
export async function gc(cli: Cli, options: GcOptions): Promise<number> {
  const olderThanMs = age("--older-than", options.olderThan ?? DEFAULT_AGE);
  const transcriptsMs =
    options.transcriptsOlderThan === undefined ? undefined : age("--transcripts-older-than", options.transcriptsOlderThan);
  const home = homeOf(cli);
  const { isolation } = await loadSettings(cli, {});
  // A folder without a store is not ours to judge.
  const store = await openStoreIfThere(cli);
  if (!store) {
    if (cli.json) cli.out.json({ version: 1, applied: options.apply, orphans: [], kept: [] });
    else cli.out.note(`Nothing was run in ${home} yet: nothing to look for.`);
    return Exit.ok;
  }
  try {
    const living = new Living(store, () => cli.clock.now());
    const parts: Found[] = [
      // Processes first: what they use goes after them.
      await orphanedProcesses(cli, home, living),
      await orphanedWorkspaces(home, living),
      await orphanedRefs(cli, home, living, olderThanMs),
      await orphanedPorts(home, living),
      await orphanedFiles(cli, home),
      await cachesBeyond(home, isolation.cacheDiskBytes, await cachesInUse(cli, home, living), living),
      ...(transcriptsMs === undefined ? [] : [await oldTranscripts(home, cli.clock.now() - transcriptsMs, living)]),
    ];
    const orphans = parts.flatMap((p) => p.orphans);
    const kept = parts.flatMap((p) => p.kept);
    const told: Told[] = [];
    for (const orphan of orphans) told.push(options.apply ? await removeOne(orphan) : tell(orphan));
    const usage = await measureHome(home);
    const free = await freeDisk(home);
    if (cli.json)
      cli.out.json({ version: 1, applied: options.apply, orphans: told, kept, usage, limitBytes: isolation.diskBytes, freeBytes: free });
    else print(cli, told, kept, { apply: options.apply, home, usage, limit: isolation.diskBytes, free });
    return told.some((t) => t.outcome === "failed") ? Exit.failed : Exit.ok;
  } finally {
    await store.close();
  }
}

function age(flag: string, text: string): number {
  const ms = parseDuration(/^\d+$/.test(text.trim()) ? Number(text) : text);
  if (ms !== undefined) return ms;
  throw new RequestError(
    "USAGE",
    `${flag}: ${JSON.stringify(text.slice(0, 40))} is not a duration`,
    "Write 30d, 12h or a number of seconds.",
  );
}

/** Folders of caches whose project has a run that somebody drives, or will resume. */
async function cachesInUse(cli: Cli, home: string, living: Living): Promise<Set<string>> {
  const inUse = new Set<string>();
  for (const row of await living.store.runs()) {
    const { kind } = await living.run(row.runId);
    if (kind !== "driven" && kind !== "stopped") continue;
    const project = await openProject(row.project, { env: cli.env }).catch(() => undefined);
    if (project) inUse.add(cacheFolder(home, project.id));
  }
  return inUse;
}

const tell = ({ kind, what, why, bytes }: Orphan): Told => ({ kind, what, why, ...(bytes === undefined ? {} : { bytes }) });

async function removeOne(orphan: Orphan): Promise<Told> {
  try {
    if (!(await orphan.isStill())) return { ...tell(orphan), outcome: "in-use" };
    await orphan.remove();
    return { ...tell(orphan), outcome: "removed" };
  } catch (error) {
    return { ...tell(orphan), outcome: "failed", problem: error instanceof Error ? error.message : String(error) };
  }
}

interface Shown {
  apply: boolean;
  home: string;
  usage: HomeUsage;
  limit: number | null;
  free: number;
}

function print(cli: Cli, told: readonly Told[], kept: Found["kept"], { apply, home, usage, limit, free }: Shown): void {
  const { out } = cli;
  if (told.length > 0)
    out.data(
      table(
        [{ title: "KIND" }, { title: "SIZE", align: "right" }, { title: "WHAT" }, { title: "WHY" }, ...(apply ? [{ title: "" }] : [])],
        told.map((t) => [
          t.kind,
          t.bytes === undefined ? "" : formatBytes(t.bytes),
          t.what,
          t.why,
          ...(apply
            ? [t.outcome === "failed" ? `failed: ${t.problem ?? ""}` : t.outcome === "in-use" ? "left: in use now" : "removed"]
            : []),
        ]),
      ),
    );
  for (const { what, why } of kept) out.note(`kept ${what}: ${why}`);
  const kinds = HOME_KINDS.filter((kind) => usage[kind] > 0).map((kind) => `${kind} ${formatBytes(usage[kind])}`);
  out.note(
    `${home} takes ${formatBytes(usage.total)}${limit === null ? "" : ` of ${formatBytes(limit)}`} (${kinds.join(", ")}); ${formatBytes(free)} are free on its disk.`,
  );
  const counted = (some: readonly Told[]): string =>
    `${plural(some.length, "orphan")}, ${formatBytes(some.reduce((sum, t) => sum + (t.bytes ?? 0), 0))}`;
  if (told.length === 0) out.note("No orphans.");
  else if (!apply) out.note(`${counted(told)}. Nothing was removed: \`${cli.program} gc --yes\` removes them.`);
  else out.note(`Removed ${counted(told.filter((t) => t.outcome === "removed"))}.`);
}
