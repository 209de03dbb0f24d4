import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Exit, ProcessRecord } from "../contract.ts";
import { folderOf, isProcessRecord } from "../host/record.ts";
import type { TranscriptPosition } from "../host/transcript.ts";
import type { Beat } from "./contract.ts";
import type { Trouble } from "./protocol.ts";

/*
 * <home>/keepers/<attempt>/    made by the engine that starts the first process; gone after `forget`
 *   attempt                    its id
 *   epoch-<n>                  an engine with this epoch was here; the highest counts
 *   tombstone                  there: no process of it may be started any more
 *   <n>/                       one process; the working folder of its keeper
 *     tombstone                there: this one may not be started any more
 *     keeper.json              the keeper is on record
 *     agent.json               the agent is on record, and about to run
 *     inputs.ndjson            what was sent to it
 *     beat.json, keeper.log, socket
 *     socket-folder            where the socket is instead, when the home's path is too long for one
 *     exit.json                how it ended
 *
 * A keeper names all this relative to its working folder: one that comes late finds nothing when the folder was removed, also when
 * another of the same name was made since.
 */

/** The first that a keeper writes. */
export interface KeeperRecord {
  keeper: ProcessRecord;
  socket: string;
  transcript: string;
}

/** The agent is on record and may run from now on. */
export interface AgentRecord {
  agent: ProcessRecord;
  /** Where its lines begin in the transcript, and the seq before its first. */
  from: TranscriptPosition;
}

/** The last that a keeper writes. */
export interface ExitRecord {
  outcome: { kind: "exit"; exit: Exit } | { kind: "trouble"; trouble: Trouble };
  /** Where its lines end. */
  to: TranscriptPosition;
}

/** What was sent to the agent, in order. `seen`: the last line the sender had read. */
export interface Input {
  id: string;
  seen: number;
  text: string;
}

const keepersOf = (home: string): string => join(home, "keepers");
export const attemptFolder = (home: string, attempt: string): string => join(keepersOf(home), folderOf(attempt));

/** Whoever reads sees all of it or nothing. */
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export const writeTombstone = (folder: string): void => writeWhole(join(folder, "tombstone"), "");
export const hasTombstone = (folder: string): boolean => read(join(folder, "tombstone")) !== undefined;

/** Throws when another keeper is on record here. */
export function writeKeeper(folder: string, record: KeeperRecord): void {
  const draft = join(folder, `keeper.${record.keeper.pid}.new`);
  writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
  linkSync(draft, join(folder, "keeper.json"));
  rmSync(draft);
}
export function readKeeper(folder: string): KeeperRecord | undefined {
  const record = readJson(join(folder, "keeper.json")) as KeeperRecord | undefined;
  return record && isProcessRecord(record.keeper) ? record : undefined;
}

export const writeAgent = (folder: string, record: AgentRecord): void => writeWhole(join(folder, "agent.json"), JSON.stringify(record));
export function readAgent(folder: string): AgentRecord | undefined {
  const record = readJson(join(folder, "agent.json")) as AgentRecord | undefined;
  return record && isProcessRecord(record.agent) ? record : undefined;
}

export const writeExit = (folder: string, record: ExitRecord): void => writeWhole(join(folder, "exit.json"), JSON.stringify(record));
export const readExit = (folder: string) => readJson(join(folder, "exit.json")) as ExitRecord | undefined;

export const writeBeat = (folder: string, beat: Beat): void => writeWhole(join(folder, "beat.json"), JSON.stringify(beat));
export const readBeat = (folder: string) => readJson(join(folder, "beat.json")) as Beat | undefined;

export const inputsFile = (folder: string): string => join(folder, "inputs.ndjson");
/** A line that the end of the keeper cut short was not written to the agent. */
export function readInputs(folder: string): Input[] {
  const lines = (read(inputsFile(folder)) ?? "").split("\n");
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Input);
}

export const logFile = (folder: string): string => join(folder, "keeper.log");
/** The end of what a keeper complained about. */
export const readLog = (folder: string): string => (read(logFile(folder)) ?? "").trim().slice(-2000);

/** The folders of an attempt's processes, in order. */
export function processFolders(attemptAt: string): { index: number; folder: string }[] {
  return names(attemptAt)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map((name) => ({ index: Number(name), folder: join(attemptAt, name) }))
    .toSorted((a, b) => a.index - b.index);
}

/** Makes the folder of an attempt; it may be there. */
export function makeAttemptFolder(home: string, attempt: string): string {
  const folder = attemptFolder(home, attempt);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeWhole(join(folder, "attempt"), attempt);
  return folder;
}

/** Leaves word that an engine with this epoch is here; answers the highest that was. A file each: two at once lose nothing. */
export function raiseEpoch(attemptAt: string, epoch: number): number {
  writeFileSync(join(attemptAt, `epoch-${epoch}`), "", { mode: 0o600 });
  return highestEpoch(attemptAt);
}

export const highestEpoch = (attemptAt: string): number =>
  Math.max(0, ...names(attemptAt).map((name) => Number(/^epoch-(\d+)$/.exec(name)?.[1] ?? 0)));

/** A path of a Unix socket may have 108 bytes, on macOS 104. */
const LONGEST_SOCKET = 100;
const SHORT = "/tmp/stepfall-";

/** Where the keeper of a process is to listen: in its folder, or in a private one with a short name, noted in its folder. */
export function chooseSocket(folder: string): string {
  const socket = join(folder, "socket");
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET) return socket;
  const short = mkdtempSync(SHORT);
  writeWhole(join(folder, "socket-folder"), short);
  return join(short, "socket");
}

export const removeAttempt = (attemptAt: string): void => {
  for (const { folder } of processFolders(attemptAt)) removeProcess(folder);
  rmSync(attemptAt, { recursive: true, force: true });
};

export function removeProcess(folder: string): void {
  const short = read(join(folder, "socket-folder"));
  if (short?.startsWith(SHORT)) rmSync(short, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}

/** The attempts that have a folder. */
export const attemptsIn = (home: string): string[] =>
  names(keepersOf(home)).flatMap((name) => read(join(keepersOf(home), name, "attempt")) ?? []);

/** All of these are written whole, by ourselves. */
function readJson(path: string): unknown {
  const text = read(path);
  return text === undefined ? undefined : JSON.parse(text);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
