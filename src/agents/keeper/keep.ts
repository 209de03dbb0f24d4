import { appendFileSync } from "node:fs";
import type { Clock } from "../../domain/index.ts";
import { createMasker } from "../../config/masker.ts";
import type { AgentHandle } from "../contract.ts";
import { AgentError } from "../errors.ts";
import { createLocalHost } from "../host/local.ts";
import { processStartTime } from "../host/process.ts";
import { processTable } from "../host/table.ts";
import type { TranscriptPosition } from "../host/transcript.ts";
import type { Beat } from "./contract.ts";
import { hasTombstone, highestEpoch, inputsFile, writeAgent, writeBeat, writeExit, writeKeeper, type ExitRecord } from "./folder.ts";
import { Listener, type ListenerOptions } from "./listen.ts";
import type { Order, Started, Trouble } from "./protocol.ts";

/** The keeper's working folder is the one of the process it keeps. */
const HERE = ".";

/**
 * A keeper's life: it puts itself on record, starts the agent, serves whoever has the say, and when the agent is gone and its exit
 * on disk it returns. The order of the first steps lets anybody stop it in time: whoever leaves a tombstone and then finds no
 * record of it knows that it will find the tombstone.
 */
export async function keep(order: Order, clock: Clock, told: (message: Started) => void): Promise<void> {
  const ending = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => ending.abort());
  const { spec, grace } = order;
  let position: TranscriptPosition = { bytes: 0, seq: 0 };
  let lastOutputAt: number | undefined;
  let agent: AgentHandle | undefined;
  const listener = new Listener({
    path: order.socket,
    epoch: order.epoch,
    position: () => position,
    obey: obedience(() => agent, ending),
    status: () => ({ kind: "status", beat: beat() }),
  });
  const beat = (): Beat => ({
    at: clock.now(),
    seq: position.seq,
    ...(lastOutputAt === undefined ? {} : { lastOutputAt }),
    agentRssBytes: agent ? processTable().familyRssBytes(agent.process.pid) : 0,
    keeperRssBytes: process.memoryUsage.rss(),
  });
  const mayStart = (): void => {
    if (!hasTombstone(HERE) && !hasTombstone("..") && highestEpoch("..") <= order.epoch) return;
    const { code, message, hint } = superseded(order.attempt);
    throw new AgentError(code, message, hint);
  };

  try {
    const startTime = processStartTime(process.pid) ?? "";
    writeKeeper(HERE, {
      keeper: { pid: process.pid, startTime, pgid: process.pid },
      socket: order.socket,
      transcript: spec.transcript,
    });
    mayStart();
    await listener.open();
    const host = createLocalHost({
      home: order.home,
      clock,
      mask: createMasker(order.secrets).mask,
      transcriptLimitBytes: order.transcriptLimitBytes,
      grace,
      watch: {
        beforeGo: (record, from) => {
          position = from;
          mayStart();
          writeAgent(HERE, { agent: record, from });
        },
        grown: (to) => {
          position = to;
          lastOutputAt = clock.now();
          listener.grown();
        },
      },
    });
    agent = await host.spawn(spec);
  } catch (error) {
    told({ kind: "failed", trouble: troubleOf(error, "AGENT_KEEPER_START") });
    return;
  }
  const heart = setInterval(() => signOfLife(beat()), order.beatMs);
  told({ kind: "started" });
  const outcome = await outcomeOf(agent, ending.signal);
  clearInterval(heart);
  writeExit(HERE, { outcome, to: position });
  await listener.close({ kind: "over" });
}

export const superseded = (attempt: string): Trouble => ({
  code: "AGENT_SUPERSEDED",
  message: `${attempt} was ended or taken over before its agent ran`,
  hint: "Nothing is to be done.",
});

/** A disk that is full for a moment is no reason to leave the agent alone. */
function signOfLife(beat: Beat): void {
  try {
    writeBeat(HERE, beat);
  } catch {
    // the next one may succeed; until then the last one grows old, which is true
  }
}

async function outcomeOf(agent: AgentHandle, ending: AbortSignal): Promise<ExitRecord["outcome"]> {
  try {
    return { kind: "exit", exit: await agent.settle(ending) };
  } catch (error) {
    return { kind: "trouble", trouble: troubleOf(error, "AGENT_TRANSCRIPT_IO") };
  }
}

/** What the engine that has the say may do. An input is on disk before the agent gets it, so that it gets it once. */
function obedience(agent: () => AgentHandle | undefined, ending: AbortController): ListenerOptions["obey"] {
  const known = new Set<string>();
  return (message, answer) => {
    switch (message.kind) {
      case "send": {
        const { id, seen, text } = message;
        if (known.has(id)) return answer({ kind: "sent", id });
        known.add(id);
        const sent = async (): Promise<void> => {
          appendFileSync(inputsFile(HERE), `${JSON.stringify({ id, seen, text })}\n`, { mode: 0o600 });
          await agent()?.send(text);
        };
        sent().then(
          () => answer({ kind: "sent", id }),
          (error: unknown) => answer({ kind: "sent", id, trouble: troubleOf(error, "AGENT_STDIN_CLOSED") }),
        );
        return;
      }
      case "signal":
        return agent()?.signal(message.signal);
      case "end":
        return ending.abort();
      default:
        message satisfies never;
    }
  };
}

const troubleOf = (error: unknown, code: Trouble["code"]): Trouble =>
  error instanceof AgentError
    ? { code: error.code, message: error.message, hint: error.hint }
    : { code, message: (error as Error).message, hint: "Check that STEPFALL_HOME is writable and has space left." };
