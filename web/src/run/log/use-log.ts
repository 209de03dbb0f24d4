import { useEffect, useState } from "react";
import { asProblem, fetchLogs, type LogFilter, type Problem } from "../../data/index.ts";
import { LogBuffer, type LogLine } from "../model/log-buffer.ts";

const PAGE = 5_000;
/** A page of fewer lines than were asked for has more behind it where its lines are long: the server ends one at two million characters. */
const LONG_PAGE = 1_000_000;
/** How long until it is looked again, at first and at most: longer where nothing came, or the server is away. */
const SOON_MS = 700;
const LATE_MS = 2_000;
const AWAY_MS = 10_000;

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

/**
 * What was printed, from its beginning, and then what comes. One reader at a time: another filter ends the one before. Nothing is read while nobody sees
 * the page.
 */
export function useLog(runId: string, filter: Pick<LogFilter, "step" | "attempt" | "role">): LogNow {
  const { step, attempt, role } = filter;
  const [log, setLog] = useState<LogNow>(nothing);
  useEffect(() => {
    const stop = new AbortController();
    let buffer = new LogBuffer();
    setLog(nothing);
    const of = {
      ...(step === undefined ? {} : { step }),
      ...(attempt === undefined ? {} : { attempt }),
      ...(role === undefined ? {} : { role }),
      limit: PAGE,
    };
    let after: string | undefined;
    let wait = SOON_MS;
    let timer: number | undefined;

    /** One page; answers how long to wait for the next one, or that there is none. */
    const page = async (): Promise<number | undefined> => {
      const { lines, next, isOver } = await fetchLogs(runId, { ...of, ...(after === undefined ? {} : { after }) }, stop.signal);
      if (stop.signal.aborted) return undefined;
      after = next === "" ? after : next;
      buffer.add(lines);
      const isFull = lines.length >= PAGE || lines.reduce((sum, line) => sum + line.text.length, 0) >= LONG_PAGE;
      const isEnd = isOver && lines.length === 0;
      setLog((was) =>
        lines.length === 0 && was.isCaughtUp && was.isOver === isEnd && !was.problem
          ? was
          : {
              lines: buffer.lines,
              count: buffer.lines.length + buffer.dropped,
              dropped: buffer.dropped,
              isCaughtUp: was.isCaughtUp || !isFull,
              isOver: isEnd,
            },
      );
      wait = lines.length > 0 ? SOON_MS : Math.min(LATE_MS, wait * 1.2);
      return isEnd ? undefined : isFull ? 0 : wait;
    };
    const read = async (): Promise<void> => {
      if (document.hidden) return document.addEventListener("visibilitychange", () => void read(), { once: true, signal: stop.signal });
      let next: number | undefined;
      try {
        next = await page();
      } catch (error) {
        if (stop.signal.aborted) return;
        const problem = asProblem(error);
        if (problem.status === 400 && after !== undefined) {
          // The server is another version by now, and knows no such place: from the beginning.
          after = undefined;
          buffer = new LogBuffer();
          next = 0;
        } else next = wait = Math.min(AWAY_MS, wait * 2);
        setLog((was) => ({ ...was, problem }));
      }
      if (next !== undefined && !stop.signal.aborted) timer = window.setTimeout(() => void read(), next);
    };
    void read();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [runId, step, attempt, role]);
  return log;
}
