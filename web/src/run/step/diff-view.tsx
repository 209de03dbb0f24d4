import { memo, useMemo, useRef } from "react";
import { VList, type VListHandle } from "virtua";
import { useDiff } from "../../data/index.ts";
import { Button, Empty, Loading, ProblemNote } from "../../ui/index.ts";
import { parseDiff, type DiffLine } from "../model/unified-diff.ts";

/** What an attempt, or a step, changed. `isThere`: it has left something by the event the page shows. */
export const DiffView = memo(function DiffView({
  runId,
  step,
  attempt,
  isThere,
}: {
  runId: string;
  step: string;
  attempt: string | undefined;
  isThere: boolean;
}) {
  const diff = useDiff(runId, attempt === undefined ? { step } : { attempt }, isThere);
  const text = diff.data?.text ?? "";
  const { lines, files } = useMemo(() => parseDiff(text), [text]);
  const list = useRef<VListHandle>(null);
  if (!isThere) return <Empty title="No change is there yet.">An attempt's change is seen once the attempt is over.</Empty>;
  if (diff.error) return <ProblemNote problem={diff.error} retry={() => void diff.refetch()} />;
  if (!diff.data) return <Loading what="Reading the change" />;
  if (text === "") return <Empty title="It changed nothing." />;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex max-h-24 flex-wrap gap-1 overflow-y-auto border-b border-line px-2 py-1">
        {files.map((file) => (
          <Button
            key={file.path}
            small
            look="quiet"
            className="font-mono"
            onClick={() =>
              list.current?.scrollToIndex(
                lines.findIndex((l) => l.kind === "file" && l.file === file),
                { align: "start" },
              )
            }
          >
            {file.path} <span className="text-good">+{file.added}</span> <span className="text-bad">−{file.removed}</span>
          </Button>
        ))}
      </div>
      {diff.data.isTruncated ? (
        <p className="bg-warn-soft px-2 py-1 text-xs text-warn">It is longer than this page shows: only its beginning is here.</p>
      ) : undefined}
      <VList
        ref={list}
        data={lines}
        itemSize={18}
        className="min-h-0 flex-1 font-mono text-xs leading-[18px]"
        aria-label="Change"
        tabIndex={0}
      >
        {(line, i) => <Line key={i} line={line} />}
      </VList>
    </div>
  );
});

const looks = { added: "bg-good-soft", removed: "bg-bad-soft", context: "" } as const;
const signs = { added: "+", removed: "−", context: " " } as const;

function Line({ line }: { line: DiffLine }) {
  switch (line.kind) {
    case "file":
      return (
        <div className="border-y border-line bg-raised px-2 font-semibold">
          {line.file.from === undefined ? "" : `${line.file.from} → `}
          {line.file.path}
          {line.file.note === undefined ? "" : ` (${line.file.note})`}
        </div>
      );
    case "hunk":
    case "note":
      return <div className="px-2 whitespace-pre-wrap text-muted">{line.text}</div>;
    case "added":
    case "removed":
    case "context":
      return (
        <div className={`flex ${looks[line.kind]}`}>
          <span className="w-10 shrink-0 pr-1 text-right text-muted select-none">{line.before}</span>
          <span className="w-10 shrink-0 pr-1 text-right text-muted select-none">{line.after}</span>
          <span className="w-4 shrink-0 text-center select-none">{signs[line.kind]}</span>
          <span className="min-w-0 flex-1 break-all whitespace-pre-wrap">{line.text}</span>
        </div>
      );
    default:
      return line satisfies never;
  }
}
