import type { Clock } from "../../domain/index.ts";
import type { AgentHandle, AgentHost, ProcessRecord, SpawnSpec } from "../contract.ts";
import { startGated } from "./gate.ts";
import type { Mask } from "./lines.ts";
import { PipeMaker } from "./pipes.ts";
import { defaultGrace, endMembers, findMembers, processStartTime, type EndGrace } from "./process.ts";
import { ProcessRecords } from "./record.ts";
import { RunningProcess } from "./running.ts";
import { Transcript, type TranscriptPosition } from "./transcript.ts";
import { unstartable } from "./unstartable.ts";

export interface LocalHostOptions {
  /** STEPFALL_HOME: records go to `<home>/processes/`. */
  home: string;
  clock: Clock;
  /** Takes secrets out of a line of output before anybody sees it. */
  mask: Mask;
  /** Most one process may write, as bytes of its transcript; then it is ended as `flooded`. Default 32 MiB. */
  transcriptLimitBytes?: number;
  /** Time between TERM, INT and KILL. Default 2 s each. */
  grace?: Partial<EndGrace>;
  /** For a keeper, which starts one process and has it on record in its own way, too. */
  watch?: ProcessWatch;
}

export interface ProcessWatch {
  /** The process is on record and its program has not run. When this throws, it never does, and `spawn` rejects. */
  beforeGo(record: ProcessRecord, transcript: TranscriptPosition): void;
  /** Lines of it are on disk. */
  grown(position: TranscriptPosition): void;
}

/** The host whose processes are children of this one. They end with their attempt, or by `endLeftovers` after a crash. */
export function createLocalHost(options: LocalHostOptions): AgentHost {
  const { home, clock, mask, transcriptLimitBytes = 32 * 1024 * 1024 } = options;
  const grace = { ...defaultGrace, ...options.grace };
  const records = new ProcessRecords(home);
  const pipes = new PipeMaker(home, options.watch ? 1 : undefined);
  const running = new Map<string, number>();
  const count = (attempt: string, by: 1 | -1) => {
    const now = (running.get(attempt) ?? 0) + by;
    if (now === 0) running.delete(attempt);
    else running.set(attempt, now);
  };

  return {
    async spawn(spec: SpawnSpec): Promise<AgentHandle> {
      let gated;
      try {
        gated = await startGated(spec, pipes);
      } catch (error) {
        return unstartable((error as Error).message);
      }
      const { child } = gated;
      const pid = child.pid as number;
      let transcript: Transcript | undefined;
      try {
        transcript = new Transcript(spec.transcript, transcriptLimitBytes, options.watch?.grown);
        const record: ProcessRecord = { pid, startTime: processStartTime(pid) ?? "", pgid: pid };
        records.write({ ...record, role: spec.role, attempt: spec.attempt, argv0: spec.argv[0] });
        try {
          options.watch?.beforeGo(record, transcript.position);
        } catch (error) {
          records.remove(spec.attempt, pid);
          throw error;
        }
        count(spec.attempt, 1);
        const handle = new RunningProcess({
          spec,
          gated,
          record,
          transcript,
          clock,
          mask,
          grace,
          isLastOfAttempt: () => running.get(spec.attempt) === 1,
          onGone: () => {
            count(spec.attempt, -1);
            records.remove(spec.attempt, pid);
          },
        });
        gated.go();
        return handle;
      } catch (error) {
        gated.refuse();
        gated.stdin?.destroy();
        gated.stdout.destroy();
        gated.stderr.destroy();
        await transcript?.close();
        throw error;
      }
    },

    attach: async () => undefined,

    async endLeftovers(attempt: string): Promise<ProcessRecord[]> {
      const leaders = records.read(attempt);
      const find = () => {
        const rows = [undefined, ...leaders].flatMap((leader) => findMembers({ leader, attempt }));
        return [...new Map(rows.map((row) => [row.pid, row])).values()];
      };
      const ended = await endMembers(find, grace);
      records.removeAll(attempt);
      return ended.map(({ pid, startTime, pgid }) => ({ pid, startTime, pgid }));
    },
  };
}
