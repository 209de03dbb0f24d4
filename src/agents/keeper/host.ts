import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentHost, ProcessRecord, SpawnSpec } from "../contract.ts";
import { AgentError } from "../errors.ts";
import { createLocalHost } from "../host/local.ts";
import { ProcessRecords } from "../host/record.ts";
import { defaultGrace, endMembers, findMembers, isAlive } from "../host/process.ts";
import type { KeeperHost, KeeperHostOptions, KeepRequest } from "./contract.ts";
import {
  attemptFolder,
  attemptsIn,
  chooseSocket,
  hasTombstone,
  makeAttemptFolder,
  processFolders,
  raiseEpoch,
  readAgent,
  readExit,
  readKeeper,
  removeAttempt,
  removeProcess,
  writeTombstone,
} from "./folder.ts";
import { Follower, superseded } from "./follow.ts";
import { KeptHandle } from "./handle.ts";
import { evidenceOf, keptIn } from "./kept.ts";
import { launch } from "./launch.ts";
import { Spares } from "./spares.ts";

/** How long a keeper whose exit is on disk may take to be gone. */
const LEAVE_MS = 3000;
/** Added to the graces of its agent before a keeper that was told to end it is taken for stuck. */
const SLACK_MS = 3000;

export function createKeeperHost(options: KeeperHostOptions): KeeperHost {
  const { home, clock, mask, secrets, transcriptLimitBytes = 32 * 1024 * 1024, beatMs = 2000, replayPatienceMs = 10_000 } = options;
  const grace = { ...defaultGrace, ...options.grace };
  const local = createLocalHost({ home, clock, mask, grace });
  const spares = new Spares(home);
  const records = new ProcessRecords(home);

  /** Ends these keepers and whatever there is of the attempt's agents. */
  async function endAll(attempt: string, keepers: readonly ProcessRecord[], graceOfKeepers = grace): Promise<ProcessRecord[]> {
    const living = () => keepers.filter(isAlive).flatMap((leader) => findMembers({ leader }));
    const [ended, agents] = await Promise.all([endMembers(living, graceOfKeepers), local.endLeftovers(attempt)]);
    const all = [...ended.map(({ pid, startTime, pgid }) => ({ pid, startTime, pgid })), ...agents];
    return [...new Map(all.map((record) => [record.pid, record])).values()];
  }

  const keepersIn = (attemptAt: string): ProcessRecord[] =>
    processFolders(attemptAt).flatMap(({ folder }) => readKeeper(folder)?.keeper ?? []);

  /** First the tombstone, then the look: a keeper that is not on record by then finds it, and starts nothing. */
  function endLeftovers(attempt: string): Promise<ProcessRecord[]> {
    const at = makeAttemptFolder(home, attempt);
    writeTombstone(at);
    return endAll(attempt, keepersIn(at));
  }

  async function forget(attempt: string): Promise<void> {
    const at = attemptFolder(home, attempt);
    if (!existsSync(at)) return;
    writeTombstone(at);
    const isEnded = ({ folder }: { folder: string }) => readExit(folder) !== undefined;
    const ending = processFolders(at).filter(isEnded);
    const until = performance.now() + LEAVE_MS;
    for (const { folder } of ending) {
      const keeper = readKeeper(folder)?.keeper;
      while (keeper && isAlive(keeper) && performance.now() < until) await sleep(5);
    }
    if (keepersIn(at).some(isAlive) || ending.length < processFolders(at).length) await endAll(attempt, keepersIn(at));
    removeAttempt(at);
    // A keeper that is killed as its agent ends may leave the empty folder of its records.
    records.removeEmpty(attempt);
  }

  interface Taking {
    attempt: string;
    epoch: number;
    isTakenUp: boolean;
    firstSeq: number;
  }

  /** `opened` is told of the connection before it is waited for. */
  async function handleOf(folder: string, taking: Taking, opened: (follower: Follower) => void): Promise<KeptHandle> {
    const { attempt, epoch, isTakenUp, firstSeq } = taking;
    const keeper = readKeeper(folder);
    if (!keeper) throw superseded("the files of this process are gone");
    const record = readAgent(folder);
    const from = record?.from ?? readExit(folder)?.to ?? { bytes: 0, seq: 0 };
    const follower = new Follower(folder, keeper, epoch, from);
    opened(follower);
    await follower.ready;
    return new KeptHandle({
      folder,
      keeper,
      agent: record?.agent,
      from,
      follower,
      isTakenUp,
      firstSeq,
      replayPatienceMs,
      endMs: grace.termMs + grace.intMs + SLACK_MS,
      // The keeper is stuck or gone, so it gets no grace; the agent does.
      endAll: () => endAll(attempt, [keeper.keeper], { termMs: 0, intMs: 0 }),
      evidence: () => mask(evidenceOf(folder, clock.now())),
    });
  }

  function forAttempt({ attempt, epoch, takeUp }: KeepRequest): AgentHost & AsyncDisposable {
    const at = attemptFolder(home, attempt);
    const followers = new Set<Follower>();
    let spawned = 0;
    let isLetGo = false;

    const opened = (follower: Follower): void => {
      followers.add(follower);
      void follower.finished.then(() => followers.delete(follower));
      if (isLetGo) follower.letGo();
    };
    const taking = (isTakenUp: boolean, firstSeq = 1): Taking => ({ attempt, epoch, isTakenUp, firstSeq });

    async function start(folder: string, spec: SpawnSpec): Promise<KeptHandle> {
      if (hasTombstone(at)) throw superseded("it was ended");
      makeProcessFolder(folder, attempt);
      try {
        const socket = chooseSocket(folder);
        const order = { attempt, epoch, home, folder, socket, spec, secrets: secrets(), transcriptLimitBytes, grace, beatMs };
        await launch(order, spares, mask);
      } catch (error) {
        // Killed in the middle of it, it may have started the agent, and told nobody.
        if (error instanceof AgentError && error.code === "AGENT_KEEPER_LOST")
          await endAll(attempt, keepersIn(at), { termMs: 0, intMs: 0 });
        removeProcess(folder);
        throw error;
      }
      return handleOf(folder, taking(false), opened);
    }

    return {
      async spawn(spec) {
        if (isLetGo) throw new AgentError("AGENT_LET_GO", `the host of ${attempt} was disposed of`, "Ask for another one.");
        const folder = join(at, String((spawned += 1)));
        makeAttemptFolder(home, attempt);
        const highest = raiseEpoch(at, epoch);
        if (highest > epoch) throw superseded(`epoch ${highest}`);
        if (takeUp && (await wasStarted(folder))) return handleOf(folder, taking(true), opened);
        return start(folder, spec);
      },
      async attach(wanted, fromSeq) {
        const last = wanted === attempt ? processFolders(at).at(-1) : undefined;
        if (!last || !(await wasStarted(last.folder))) return undefined;
        return handleOf(last.folder, taking(false, fromSeq), opened);
      },
      endLeftovers,
      async [Symbol.asyncDispose]() {
        isLetGo = true;
        for (const follower of followers) follower.letGo();
      },
    };
  }

  return {
    forAttempt,
    kept: (attempt) => keptIn(attemptFolder(home, attempt), clock.now(), mask),
    endLeftovers,
    forget,
    list: () => attemptsIn(home),
    prepare: (count) => spares.prepare(count),
    [Symbol.dispose]: () => spares.dismiss(),
  };
}

function makeProcessFolder(folder: string, attempt: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw superseded("it has started this process before");
    const message = `the process of ${attempt} could not be put on record: ${(cause as Error).message}`;
    throw new AgentError("AGENT_RECORD_IO", message, "Check that STEPFALL_HOME is writable and has space left.", { cause });
  }
}

/**
 * Whether an agent was started in this folder, or was to be and that it could not is on disk. Its engine may have died at any point
 * of starting: what did not come as far as the agent's record never ran, never will, and is removed.
 */
async function wasStarted(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return false;
  if (!readKeeper(folder)) {
    // A keeper that comes later finds this, or no folder.
    writeTombstone(folder);
  }
  for (;;) {
    const keeper = readKeeper(folder)?.keeper;
    const isGone = keeper === undefined || !isAlive(keeper);
    if (readAgent(folder) ?? readExit(folder)) return true;
    if (isGone) {
      removeProcess(folder);
      return false;
    }
    await sleep(10);
  }
}
