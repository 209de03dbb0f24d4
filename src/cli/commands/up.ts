import { readdirSync, rmSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openControl, type Control, type RunSummary } from "../../control/index.ts";
import { LeaseKeeper } from "../../fleet/index.ts";
import {
  askLoginLink,
  mcpEndpoint,
  readServerRecord,
  removeServerRecord,
  ROLES,
  ServerError,
  startServer,
  writeServerRecord,
  type McpEndpoint,
  type Role,
  type RunningServer,
  type ServerOptions,
} from "../../server/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { isDead, thisHolder } from "../../setup/identity.ts";
import { homeOf } from "../../setup/settings.ts";
import { openStore } from "../../setup/store.ts";
import type { LeaseRef, Store } from "../../store/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { packageRoot } from "../package-root.ts";
import { writeDetail } from "../report-error.ts";
import { actorOf } from "../setup/merge-run.ts";
import { ownLauncher } from "../setup/own-program.ts";
import { tellLink } from "../setup/server-here.ts";
import { commandLine } from "../show/summary.ts";

export interface UpFlags {
  port?: string | undefined;
  open?: boolean | undefined;
  role?: string | undefined;
  /** Agents may decide over MCP what a person is to decide. */
  allowApprove?: boolean | undefined;
  version: string;
}

/** Bookmarks and logins stay good where the port stays the same. */
const USUAL_PORT = 7788;
const LEASE = "server";
const LEASE_MS = 30_000;
const LOOK_MS = 5_000;
/** What started processes printed is kept so long. */
const KEEP_MS = 7 * 86_400_000;

/** `stepfall up`: the dashboard and the API of this home, until Ctrl-C; runs go on without it. */
export async function up(cli: Cli, flags: UpFlags): Promise<number> {
  const role = roleOf(flags.role);
  const port = portOf(flags.port);
  const store = await openStore(cli);
  try {
    const lease = await claim(cli, store);
    if (!lease) return await tellOther(cli, role, flags.open === true);
    using keeper = new LeaseKeeper(store, cli.clock, LEASE_MS);
    const stop = new AbortController();
    keeper.keep(lease, () => {
      cli.out.note("Another process is the server of this home now: this one slept too long.");
      stop.abort();
    });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
    await serve(cli, { flags, role, port, stop: stop.signal });
    await store.release(lease);
    return Exit.ok;
  } finally {
    await store.close();
  }
}

/** One server for a home: `undefined` when another process is it. */
async function claim(cli: Cli, store: Store): Promise<LeaseRef | undefined> {
  const ask = { key: LEASE, holder: thisHolder(), until: cli.clock.now() + LEASE_MS, now: cli.clock.now() };
  const first = await store.acquire(ask);
  if (first.ok) return first.lease;
  if (!isDead(first.heldBy.holder)) return undefined;
  const second = await store.acquire({ ...ask, breakEpoch: first.heldBy.epoch });
  return second.ok ? second.lease : undefined;
}

/** Says where the server of this home is. */
async function tellOther(cli: Cli, role: Role, isToOpen: boolean): Promise<number> {
  const home = homeOf(cli);
  let link = await askLoginLink(home, { role });
  // It may be about to begin.
  for (let i = 0; link === undefined && i < 50; i++) {
    await sleep(200);
    link = await askLoginLink(home, { role });
  }
  const record = readServerRecord(home);
  if (link === undefined || !record)
    throw new RequestError(
      "SERVER_SILENT",
      `another process is the server of ${home}${record ? ` (process ${record.pid}, ${record.url})` : ""}, and does not answer`,
      "Look what it does, or end it; then try again.",
      Exit.failed,
    );
  cli.out.note(`The server of this home is at ${record.url} already (process ${record.pid}).`);
  await tell(cli, { link, role, url: record.url, pid: record.pid, isToOpen });
  return Exit.ok;
}

async function serve(
  cli: Cli,
  { flags, role, port, stop }: { flags: UpFlags; role: Role; port: number | undefined; stop: AbortSignal },
): Promise<void> {
  const home = homeOf(cli);
  tidy(join(home, "launched"), cli.clock.now() - KEEP_MS);
  await using control = await openControl({ surroundings: cli, launcher: ownLauncher(cli) });
  const { version } = flags;
  const onError = (error: unknown): void => {
    const where = writeDetail({ ...cli, home }, error);
    cli.out.note(`INTERNAL: a request failed. This is a bug in Stepfall.${where ? ` The detail is in ${where}.` : ""}`);
  };
  const user = actorOf(cli).replace(/^[a-z]+:?/, "") || userInfo().username;
  const mcp = mcpEndpoint({ control, clock: cli.clock, version, person: user, onError });
  const server = await listen(port, {
    control,
    clock: cli.clock,
    home,
    version,
    user,
    dashboard: join(packageRoot, "web", "dist"),
    routes: [mcpRoute(mcp, flags.allowApprove === true)],
    onError,
  });
  try {
    writeServerRecord(home, { url: server.url, pid: process.pid, startedAt: cli.clock.now() });
    if (port === undefined && server.port !== USUAL_PORT) cli.out.note(`Port ${USUAL_PORT} is taken by another program.`);
    cli.out.note(`Stepfall is at ${server.url}, on this machine only. Ctrl-C ends it; runs go on.`);
    await tell(cli, { link: server.loginLink(role), role, url: server.url, pid: process.pid, isToOpen: flags.open === true });
    await takeUpRuns(cli, control, stop);
  } finally {
    removeServerRecord(home, process.pid);
    await mcp.close();
    await server.close();
  }
}

const mcpRoute = (mcp: McpEndpoint, mayApprove: boolean): NonNullable<ServerOptions["routes"]>[number] => ({
  path: "/mcp",
  handle: (request, response, { role }) =>
    mcp.handle(request, response, { steer: role !== "viewer", answer: role === "approver", approve: mayApprove && role === "approver" }),
});

/** At its usual port, else at any. */
async function listen(port: number | undefined, options: ServerOptions): Promise<RunningServer> {
  try {
    return await startServer({ ...options, port: port ?? USUAL_PORT });
  } catch (error) {
    if (port !== undefined || !(error instanceof ServerError && error.code === "PORT_TAKEN")) throw error;
    return startServer({ ...options, port: 0 });
  }
}

async function tell(cli: Cli, told: { link: string; role: Role; url: string; pid: number; isToOpen: boolean }): Promise<void> {
  const { link, role, url, pid, isToOpen } = told;
  if (cli.json) cli.out.json({ version: 1, url, link, role, pid });
  else {
    cli.out.note(
      `Open this, once and within ten minutes${role === "approver" ? "" : `, as ${role}`}; \`${commandLine(cli, "up")}\` makes another:`,
    );
    cli.out.data(link);
  }
  await tellLink(cli, link, isToOpen);
}

/** Has runs go on whose process died without a word, each once, until `stop`. */
async function takeUpRuns(cli: Cli, control: Control, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    for (const { runId, pipeline } of await abandonedRuns(cli, control)) {
      cli.out.note(`run ${runId} (${pipeline}): the process that drove it is gone; another goes on with it`);
      control.resume("up:take-up", runId).catch((error: unknown) => {
        cli.out.note(`run ${runId} does not go on: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
    await sleep(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** A store that is busy now can be asked again. */
async function abandonedRuns(cli: Cli, control: Control): Promise<RunSummary[]> {
  try {
    return await control.abandoned();
  } catch (error) {
    cli.out.note(`It cannot be seen now which runs are left: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

function tidy(folder: string, before: number): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const file = join(folder, name);
    if ((statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? before) < before) rmSync(file, { force: true });
  }
}

function roleOf(given: string | undefined): Role {
  const role = ROLES.find((r) => r === (given ?? "approver"));
  if (role) return role;
  throw new RequestError("USAGE", `--role ${given} is no role`, `Give one of ${ROLES.join(", ")}.`);
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(port) || port > 65_535)
    throw new RequestError("USAGE", `--port ${text} is not a port`, "Give a number up to 65535, or 0 for any.");
  return port;
}
