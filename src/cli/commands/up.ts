import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openControl } from "../../control/index.ts";
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
import { openBesideServer } from "../../setup/beside-server.ts";
import { RequestError } from "../../setup/failure.ts";
import { projectHere } from "../../setup/find-run.ts";
import { describeHolder, isDead, isHalted, thisHolder } from "../../setup/identity.ts";
import { rememberOpened } from "../../setup/opened-projects.ts";
import { homeOf } from "../../setup/settings.ts";
import { openStore } from "../../setup/store.ts";
import type { LeaseRef, Store } from "../../store/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { packageRoot } from "../package-root.ts";
import { writeDetail } from "../report-error.ts";
import { lookAfterHome } from "../setup/look-after-home.ts";
import { actorOf } from "../setup/person.ts";
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
/** How long another process is waited for that says it is the server: it may be about to begin. */
const ANSWER_MS = 12_000;
const SAME_KEY_MS = 1_000;

/** `stepfall up`: the dashboard and the API of this home, until Ctrl-C; runs go on without it. */
export async function up(cli: Cli, flags: UpFlags): Promise<number> {
  const role = roleOf(flags.role);
  const port = portOf(flags.port);
  const store = await openStore(cli);
  try {
    const claimed = await claim(cli, store);
    if ("heldBy" in claimed) return await tellOther(cli, { holder: claimed.heldBy, role, isToOpen: flags.open === true });
    const { lease } = claimed;
    using keeper = new LeaseKeeper(store, cli.clock, LEASE_MS);
    const stop = new AbortController();
    keeper.keep(lease, () => {
      cli.out.note("Another process is the server of this home now: this one slept too long.");
      stop.abort();
    });
    onSignals(cli, stop);
    await serve(cli, { flags, role, port, stop: stop.signal });
    await store.release(lease);
    return Exit.ok;
  } finally {
    await store.close();
  }
}

/** The first ends the server. A launcher and npm pass the same key on: another one counts a second later, and ends this process at once. */
function onSignals(cli: Cli, stop: AbortController): void {
  let first: number | undefined;
  const onSignal = (): void => {
    const now = cli.clock.now();
    first ??= now;
    if (now - first > SAME_KEY_MS) process.exit(Exit.interrupted);
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
}

/** One server for a home. `heldBy`: another process is it. */
async function claim(cli: Cli, store: Store): Promise<{ lease: LeaseRef } | { heldBy: string }> {
  const ask = { key: LEASE, holder: thisHolder(), until: cli.clock.now() + LEASE_MS, now: cli.clock.now() };
  const first = await store.acquire(ask);
  if (first.ok) return first;
  if (!isDead(first.heldBy.holder)) return { heldBy: first.heldBy.holder };
  const second = await store.acquire({ ...ask, breakEpoch: first.heldBy.epoch });
  return second.ok ? second : { heldBy: second.heldBy.holder };
}

/** Says where the server of this home is. */
async function tellOther(cli: Cli, { holder, role, isToOpen }: { holder: string; role: Role; isToOpen: boolean }): Promise<number> {
  const home = homeOf(cli);
  if (isHalted(holder))
    throw new RequestError(
      "SERVER_SILENT",
      `the server of ${home} is stopped: ${describeHolder(holder)}`,
      "`fg` in its terminal lets it go on (it was Ctrl-Z). Or end it with `kill -9`, and try again.",
      Exit.failed,
    );
  const until = cli.clock.now() + ANSWER_MS;
  const to = await pageOf(cli);
  let link = await askLoginLink(home, { role, to });
  while (link === undefined && cli.clock.now() < until) {
    await sleep(200);
    link = await askLoginLink(home, { role, to });
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

/** Whoever calls it in a project means that project, whichever the server was begun in. */
async function pageOf(cli: Cli): Promise<string> {
  const project = await projectHere(cli);
  if (project) rememberOpened(homeOf(cli), project.top);
  return project ? `/?${new URLSearchParams({ project: project.top }).toString().replaceAll("+", "%20")}` : "/";
}

async function serve(
  cli: Cli,
  { flags, role, port, stop }: { flags: UpFlags; role: Role; port: number | undefined; stop: AbortSignal },
): Promise<void> {
  const home = homeOf(cli);
  await using beside = await openBesideServer(cli, (notice) => cli.out.note(notice));
  const { log } = beside;
  await using control = await openControl({ surroundings: cli, launcher: ownLauncher(cli), log });
  const { version } = flags;
  const onError = (error: unknown): void => {
    log.error("internal", "a request failed; this is a bug in Stepfall", { room: "server", error });
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
    program: commandLine(cli),
    user,
    dashboard: join(packageRoot, "web", "dist"),
    routes: [mcpRoute(mcp, flags.allowApprove === true)],
    onError,
    log,
  });
  try {
    log.info("server-began", `it serves ${server.url}`, { room: "server", data: { version } });
    writeServerRecord(home, { url: server.url, startedAt: cli.clock.now() });
    if (port === undefined && server.port !== USUAL_PORT) cli.out.note(`Port ${USUAL_PORT} is taken by another program.`);
    cli.out.note(`Stepfall is at ${server.url}, on this machine only. Ctrl-C ends it; runs go on.`);
    await tell(cli, {
      link: server.loginLink(role, await pageOf(cli)),
      role,
      url: server.url,
      pid: process.pid,
      isToOpen: flags.open === true,
    });
    await lookAfterHome({ home, control, clock: cli.clock, log, note: (text) => cli.out.note(text) }, stop);
  } finally {
    log.info("server-ended", "it serves no more; runs go on", { room: "server" });
    removeServerRecord(home);
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
