import { memo, useMemo } from "react";
import { VList } from "virtua";
import { Empty, exactTime, Loading, ProblemNote } from "../../ui/index.ts";
import { LongText } from "../long-text.tsx";
import { countUntil } from "../model/log-buffer.ts";
import { TranscriptReader, type Entry } from "../model/transcript.ts";
import { useKeyed } from "../use-keyed.ts";
import { useLog } from "./use-log.ts";

const names: Readonly<Record<Entry["kind"], { name: string; look: string }>> = {
  says: { name: "says", look: "" },
  thinks: { name: "thinks", look: "text-muted italic" },
  does: { name: "does", look: "font-mono text-xs text-accent" },
  sees: { name: "sees", look: "font-mono text-xs text-muted max-h-48 overflow-y-auto" },
  ended: { name: "ended", look: "text-good" },
  failed: { name: "failed", look: "text-bad" },
  printed: { name: "printed", look: "font-mono text-xs" },
};

/** What an agent said and did, in order. */
export const TranscriptView = memo(function TranscriptView({
  runId,
  step,
  attempt,
  until,
}: {
  runId: string;
  step: string;
  attempt: string | undefined;
  until: number | undefined;
}) {
  const log = useLog(runId, { ...(attempt === undefined ? { step } : { attempt }), role: "agent" });
  const shown = until === undefined ? log.lines.length : countUntil(log.lines, until);
  const lines = useKeyed(() => (until === undefined ? log.lines : log.lines.slice(0, shown)), log.lines, until === undefined, shown);
  const reader = useMemo(() => new TranscriptReader(), []);
  const entries = reader.follow(lines);
  if (log.problem && entries.length === 0) return <ProblemNote problem={log.problem} />;
  if (entries.length === 0)
    return log.isCaughtUp ? (
      <Empty title={log.isOver ? "Its agent has said nothing." : "Its agent has said nothing yet."} />
    ) : (
      <Loading what="Reading the transcript" />
    );
  return (
    <VList data={entries} className="h-full" role="list" aria-label="Transcript" tabIndex={0}>
      {(entry, i) => (
        <div key={i} role="listitem" className="grid grid-cols-[4.5rem_1fr] gap-2 border-b border-line px-2 py-1.5">
          <span className="text-xs text-muted" title={exactTime(entry.at)}>
            #{entry.attempt.slice(entry.attempt.lastIndexOf("#") + 1)} {names[entry.kind].name}
          </span>
          <div
            className={`min-w-0 break-words whitespace-pre-wrap ${names[entry.kind].look}`}
            // It scrolls by itself: by keys, too.
            {...(entry.kind === "sees" ? { tabIndex: 0, role: "group", "aria-label": "What it sees" } : {})}
          >
            <LongText text={entry.text} />
          </div>
        </div>
      )}
    </VList>
  );
});
