import { useEffect, useRef, useState } from "react";
import { asProblem, fetchLogs, type LogFilter, type Problem } from "../../data/index.ts";
import { LogBuffer, type LogLine } from "../model/log-buffer.ts";

const PAGE = 5_000;
const LOOK_AGAIN_MS = 700;

export interface LogNow {
  lines: readonly LogLine[];
  /** Changes whenever a line came. */
  count: number;
  /** Older ones than the page keeps. */
  dropped: number;
  /** All that was there when it was opened has been read. */
  isCaughtUp: boolean;
  isOver: boolean;
  problem?: Problem | undefined;
}

const nothing: LogNow = { lines: [], count: 0, dropped: 0, isCaughtUp: false, isOver: false };

/** What was printed, from its beginning, and then what comes. One reader at a time: another filter ends the one before. */
export function useLog(runId: string, filter: Pick<LogFilter, "step" | "attempt" | "role">): LogNow {
  const { step, attempt, role } = filter;
  const [log, setLog] = useState<LogNow>(nothing);
  const again = useRef(0);
  useEffect(() => {
    const stop = new AbortController();
    const buffer = new LogBuffer();
    setLog(nothing);
    let after: string | undefined;
    const read = async (): Promise<void> => {
      let isOver = false;
      try {
        const of = {
          ...(step === undefined ? {} : { step }),
          ...(attempt === undefined ? {} : { attempt }),
          ...(role === undefined ? {} : { role }),
        };
        const page = await fetchLogs(runId, { ...of, limit: PAGE, ...(after === undefined ? {} : { after }) }, stop.signal);
        if (stop.signal.aborted) return;
        after = page.next === "" ? after : page.next;
        buffer.add(page.lines);
        const isCaughtUp = page.lines.length < PAGE;
        isOver = page.isOver && page.lines.length === 0;
        setLog((was) =>
          page.lines.length === 0 && was.isCaughtUp === isCaughtUp && was.isOver === isOver && !was.problem
            ? was
            : {
                lines: buffer.lines,
                count: buffer.lines.length + buffer.dropped,
                dropped: buffer.dropped,
                isCaughtUp: was.isCaughtUp || isCaughtUp,
                isOver,
              },
        );
        // A page that came full has another behind it.
        if (page.lines.length > 0 && !isCaughtUp) return void read();
      } catch (error) {
        if (stop.signal.aborted) return;
        setLog((was) => ({ ...was, problem: asProblem(error) }));
      }
      if (!isOver) again.current = window.setTimeout(() => void read(), LOOK_AGAIN_MS);
    };
    void read();
    return () => {
      stop.abort();
      window.clearTimeout(again.current);
    };
  }, [runId, step, attempt, role]);
  return log;
}
