import { lstatSync, rmSync, type Stats } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { PROMPT_END } from "../../engine/index.ts";
import { isGatewayAlive } from "../../models/index.ts";
import { measureFolder } from "../../workspace/index.ts";
import type { Cli } from "../cli.ts";
import { plural } from "../show/format.ts";
import type { Living } from "./living.ts";
import { names, readJson, textOf } from "./on-disk.ts";
import type { Found, Orphan } from "./orphan.ts";

/** Nothing that makes such a folder takes longer: it reads a file of a commit, starts an agent once. */
const SETTLED_MS = 3_600_000;

/** Files that a process of ours makes for a moment, and that outlive it only when it was killed; sockets nobody listens on; the record of a gateway that is gone. */
export async function orphanedFiles(cli: Cli, home: string): Promise<Found> {
  const temp = cli.env["TMPDIR"] || "/tmp";
  const places: [string, RegExp][] = [
    [temp, /^stepfall-(?:look|doctor)-[A-Za-z0-9]{6}$/],
    ["/dev/shm", /^stepfall-[A-Za-z0-9]{6}$/],
    [home, /^(?:dirty|preflight)-[A-Za-z0-9]{6}$/],
    [join(home, "desks"), /^[0-9a-f]{16}\.[0-9a-f]{12}$/],
    [join(home, "processes", ".pipes"), /^(?:batch-|[0-9a-f]{8}-)/],
    [join(home, "gateway"), /^gateway\.json\.|\.new$/],
    [join(home, "hooks", "pending"), /\.new$/],
    [join(home, "hooks", "dead"), /\.new$/],
    [join(home, "server"), /\.new$/],
  ];
  const orphans: Orphan[] = [];
  for (const [folder, pattern] of places)
    for (const name of names(folder)) if (pattern.test(name)) orphans.push(...(await leftover(cli, join(folder, name))));
  orphans.push(...(await deadSockets(cli, home)), ...deadGateway(home));
  return { orphans, kept: [] };
}

async function leftover(cli: Cli, path: string): Promise<Orphan[]> {
  const { bytes, newestAt } = await measureFolder(path);
  const isOld = async (): Promise<boolean> => isOurs(path) && cli.clock.now() - (await measureFolder(path)).newestAt > SETTLED_MS;
  if (newestAt === 0 || !(await isOld())) return [];
  const why = "a temporary folder, unchanged for more than an hour: what made it was killed";
  return [{ kind: "temp", what: path, why, bytes, isStill: isOld, remove: async () => rmSync(path, { recursive: true, force: true }) }];
}

/** Sockets of keepers go with their attempts (see processes.ts); these are the private folders they have where the home's path is too long, and the home's own. */
async function deadSockets(cli: Cli, home: string): Promise<Orphan[]> {
  const wanted = new Set(
    names(join(home, "keepers")).flatMap((attempt) =>
      names(join(home, "keepers", attempt)).flatMap((n) => textOf(join(home, "keepers", attempt, n, "socket-folder"))?.trim() ?? []),
    ),
  );
  const short = names("/tmp")
    .filter((name) => /^stepfall-[A-Za-z0-9]{6}$/.test(name))
    .map((name) => join("/tmp", name))
    .filter((folder) => !wanted.has(folder) && isOurs(folder) && names(folder).join() === "socket");
  const own = [home, join(home, "gateway")].flatMap((folder) => names(folder).map((name) => join(folder, name)));
  const candidates = [
    ...short.map((folder) => ({ socket: join(folder, "socket"), remove: folder })),
    ...own.map((socket) => ({ socket, remove: socket })),
  ];
  const found: Orphan[] = [];
  for (const { socket, remove } of candidates) {
    const isDead = async (): Promise<boolean> => {
      const entry = statOf(socket);
      return entry?.isSocket() === true && cli.clock.now() - entry.mtimeMs > 60_000 && (await nobodyListens(socket));
    };
    if (!(await isDead())) continue;
    const removal = async (): Promise<void> => rmSync(remove, { recursive: true, force: true });
    found.push({ kind: "socket", what: socket, why: "nobody listens on it", isStill: isDead, remove: removal });
  }
  return found;
}

function nobodyListens(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once("connect", () => resolve(false));
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  return promise.finally(() => socket.destroy());
}

/** It holds the admin token of a gateway that nobody can reach any more. */
function deadGateway(home: string): Orphan[] {
  const path = join(home, "gateway", "gateway.json");
  const isDead = (): boolean => {
    const { pid, startTime } = readJson(path) ?? {};
    return typeof pid === "number" && typeof startTime === "string" && !isGatewayAlive(`${pid}:${startTime}`);
  };
  if (!isDead()) return [];
  const remove = async (): Promise<void> => rmSync(path, { force: true });
  return [{ kind: "gateway", what: path, why: "the gateway it names is gone", isStill: async () => isDead(), remove }];
}

/** Shared caches beyond their limit, the longest unchanged first. Those of projects that somebody works in stay. */
export async function cachesBeyond(home: string, limit: number | null, inUse: ReadonlySet<string>, living: Living): Promise<Found> {
  const found: Found = { orphans: [], kept: [] };
  if (limit === null) return found;
  const sizes: { path: string; bytes: number; newestAt: number }[] = [];
  for (const name of names(join(home, "cache"))) {
    const path = join(home, "cache", name);
    sizes.push({ path, ...(await measureFolder(path)) });
  }
  let total = sizes.reduce((sum, s) => sum + s.bytes, 0);
  for (const { path, bytes, newestAt } of sizes.toSorted((a, b) => a.newestAt - b.newestAt)) {
    if (total <= limit) break;
    if (inUse.has(path)) {
      found.kept.push({ what: path, why: "caches take more than their limit, but a run uses this one" });
      continue;
    }
    total -= bytes;
    const why = `caches take more than \`isolation.cache-disk\`; this one was last written ${living.ago(newestAt)}`;
    const remove = async (): Promise<void> => rmSync(path, { recursive: true, force: true });
    found.orphans.push({ kind: "cache", what: path, why, bytes, isStill: async () => true, remove });
  }
  return found;
}

/** Transcripts of runs that ended before; only where the person asked for it. */
export async function oldTranscripts(home: string, before: number, living: Living): Promise<Found> {
  const orphans: Orphan[] = [];
  for (const runId of names(join(home, "runs"))) {
    const folder = join(home, "runs", runId);
    const files = names(folder)
      .filter((name) => name.endsWith(".ndjson") || name.endsWith(PROMPT_END))
      .map((name) => join(folder, name));
    const stats = files.flatMap((file) => statOf(file) ?? []);
    const why = async (): Promise<string | undefined> => {
      const run = await living.run(runId);
      const endedAt = run.kind === "over" ? run.endedAt : run.kind === "unknown" ? Math.max(...stats.map((s) => s.mtimeMs)) : undefined;
      if (endedAt === undefined || endedAt > before) return undefined;
      return run.kind === "over" ? run.words : `the store knows no such run; last written ${living.ago(endedAt)}`;
    };
    const because = files.length > 0 ? await why() : undefined;
    if (because === undefined) continue;
    orphans.push({
      kind: "transcripts",
      what: `${plural(files.filter((file) => file.endsWith(".ndjson")).length, "transcript")} of run ${runId}`,
      why: because,
      bytes: stats.reduce((sum, s) => sum + s.blocks * 512, 0),
      isStill: async () => (await why()) !== undefined,
      remove: async () => files.forEach((file) => rmSync(file, { force: true })),
    });
  }
  return { orphans, kept: [] };
}

const isOurs = (path: string): boolean => statOf(path)?.uid === process.getuid?.();
const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });
