import { memo, useEffect, useRef } from "react";
import { VList, type VListHandle } from "virtua";
import { Button, clockText, Empty, exactTime, Kbd, Loading, ProblemNote } from "../../ui/index.ts";
import { FindBar, useSearch } from "../find-bar.tsx";
import { LongText } from "../long-text.tsx";
import { countUntil, type LogLine } from "../model/log-buffer.ts";
import { shownLine } from "../model/transcript.ts";
import { useKeyed } from "../use-keyed.ts";
import { useLog } from "./use-log.ts";

const LINE = 18;

/**
 * What the processes of a step printed: all that there is, then what comes. `until`: lines printed later are not shown, since the page is as it was
 * then. `isFollowed`: the view stays at the end.
 */
export const LogView = memo(function LogView({
  runId,
  step,
  attempt,
  until,
  isFollowed,
  onFollow,
}: {
  runId: string;
  step: string;
  attempt: string | undefined;
  until: number | undefined;
  isFollowed: boolean;
  onFollow(isFollowed: boolean): void;
}) {
  const log = useLog(runId, attempt === undefined ? { step } : { attempt });
  const shown = until === undefined ? log.lines.length : countUntil(log.lines, until);
  const lines = useKeyed(() => (until === undefined ? log.lines : log.lines.slice(0, shown)), log.lines, until === undefined, shown);
  const search = useSearch(lines, log.count, shownLine);
  const list = useRef<VListHandle>(null);
  const { here } = search;

  useEffect(() => {
    if (isFollowed && shown > 0) list.current?.scrollToIndex(shown - 1, { align: "end" });
  }, [isFollowed, shown, log.count]);
  useEffect(() => {
    if (here !== undefined) list.current?.scrollToIndex(here, { align: "center" });
  }, [here]);

  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-2 py-1 text-xs">
        <FindBar search={search} name="Search the log" onUse={() => onFollow(false)} />
        <span className="ml-auto text-muted">
          {shown.toLocaleString("en")} lines
          {log.dropped > 0 ? `, and ${log.dropped.toLocaleString("en")} before them that are not kept here: stepfall logs has them` : ""}
          {log.isCaughtUp ? "" : ", reading …"}
        </span>
        <Button small look={isFollowed ? "primary" : "plain"} aria-pressed={isFollowed} onClick={() => onFollow(!isFollowed)}>
          Follow <Kbd>f</Kbd>
        </Button>
      </div>
      {log.problem ? <ProblemNote problem={log.problem} /> : undefined}
      {lines.length === 0 ? (
        log.isCaughtUp ? (
          <Empty title={log.isOver ? "Nothing was printed." : "Nothing is printed yet."} />
        ) : log.problem ? undefined : (
          <Loading what="Reading the log" />
        )
      ) : (
        <VList
          ref={list}
          data={lines}
          itemSize={LINE}
          className="min-h-0 flex-1 font-mono text-xs leading-[18px]"
          aria-label="Log"
          role="log"
          aria-live="off"
          tabIndex={0}
          onWheel={(event) => event.deltaY < 0 && isFollowed && onFollow(false)}
        >
          {(line, i) => <Line key={`${line.attempt}${line.role}${line.seq}`} line={line} isFound={i === here} />}
        </VList>
      )}
    </div>
  );
});

const Line = memo(function Line({ line, isFound }: { line: LogLine; isFound: boolean }) {
  const who = `#${line.n}${line.role === "agent" ? "" : ` ${line.role}`}`;
  return (
    <div className={`flex gap-2 px-2 ${isFound ? "bg-warn-soft" : ""}`}>
      <span className="shrink-0 text-muted select-none max-md:hidden" title={exactTime(line.at)}>
        {clockText(line.at)}
      </span>
      <span className="w-20 shrink-0 truncate text-muted select-none max-md:w-8" title={who}>
        {who}
      </span>
      <span className={`min-h-[18px] min-w-0 flex-1 break-all whitespace-pre-wrap ${line.stream === "stderr" ? "text-warn" : ""}`}>
        <LongText text={shownLine(line)} />
      </span>
    </div>
  );
});
