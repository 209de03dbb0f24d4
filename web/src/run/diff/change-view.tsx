import { memo, useEffect, useMemo, useRef, useState } from "react";
import { VList, type VListHandle } from "virtua";
import type { DiffPage } from "../../data/index.ts";
import { Button, Empty } from "../../ui/index.ts";
import { FindBar, useSearch } from "../find-bar.tsx";
import { parseDiff, textOf, type DiffLine } from "../model/unified-diff.ts";
import { hasUnseen, visible } from "../model/visible.ts";

/** As many files have a button of their own at first. */
const MOST_FILES = 60;

/** A change, file by file and line by line. `elsewhere`: the command that shows what is left out of a very long one. */
export const ChangeView = memo(function ChangeView({ diff, elsewhere }: { diff: DiffPage; elsewhere: string }) {
  const { lines } = useMemo(() => parseDiff(diff.text), [diff.text]);
  const isUnseen = useMemo(() => hasUnseen(diff.text), [diff.text]);
  const search = useSearch(lines, lines.length, textOf);
  const list = useRef<VListHandle>(null);
  const { here } = search;
  useEffect(() => {
    if (here !== undefined) list.current?.scrollToIndex(here, { align: "center" });
  }, [here]);
  if (diff.text === "") return <Empty title="It changed nothing." />;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-2 py-1 text-xs">
        <FindBar search={search} name="Search the change" />
      </div>
      <Files
        files={diff.files}
        onGo={(path) => {
          const at = lines.findIndex((l) => l.kind === "file" && l.file.path === path);
          if (at >= 0) list.current?.scrollToIndex(at, { align: "start" });
        }}
      />
      {diff.isTruncated ? (
        <p className="bg-warn-soft px-2 py-1 text-xs text-warn">
          It is longer than this page shows: only its beginning is here. All of it: <code className="font-mono">{elsewhere}</code>
        </p>
      ) : undefined}
      {isUnseen ? (
        <p className="bg-warn-soft px-2 py-1 text-xs text-warn">
          It holds characters that are not seen, or that turn around how a line reads. They are shown by their numbers, as ⟨U+202E⟩.
        </p>
      ) : undefined}
      <VList
        ref={list}
        data={lines}
        itemSize={18}
        className="min-h-0 flex-1 font-mono text-xs leading-[18px]"
        aria-label="Change"
        tabIndex={0}
      >
        {(line, i) => <Line key={i} line={line} isFound={i === here} />}
      </VList>
    </div>
  );
});

function Files({ files, onGo }: { files: DiffPage["files"]; onGo(path: string): void }) {
  const [most, setMost] = useState(MOST_FILES);
  return (
    <div
      className="flex max-h-24 flex-wrap gap-1 overflow-y-auto border-b border-line px-2 py-1"
      role="group"
      aria-label="Files"
      tabIndex={0}
    >
      {files.slice(0, most).map(({ path, added, removed, binary }, i) => (
        <Button key={i} small look="quiet" className="font-mono" onClick={() => onGo(path)}>
          {visible(path)}{" "}
          {binary ? (
            "binary"
          ) : (
            <>
              <span className="text-good">+{added}</span> <span className="text-bad">−{removed}</span>
            </>
          )}
        </Button>
      ))}
      {files.length > most ? (
        <Button small onClick={() => setMost(files.length)}>
          and {(files.length - most).toLocaleString("en")} more
        </Button>
      ) : undefined}
    </div>
  );
}

const looks = { added: "bg-good-soft", removed: "bg-bad-soft", context: "" } as const;
const signs = { added: "+", removed: "−", context: " " } as const;

const Line = memo(function Line({ line, isFound }: { line: DiffLine; isFound: boolean }) {
  const found = isFound ? "outline outline-accent" : "";
  switch (line.kind) {
    case "file":
      return (
        <div className={`border-y border-line bg-raised px-2 font-semibold break-all ${found}`}>
          {visible(textOf(line))}
          {line.file.note === undefined ? "" : ` (${line.file.note})`}
        </div>
      );
    case "hunk":
    case "note":
      return <div className={`px-2 whitespace-pre-wrap text-muted ${found}`}>{visible(line.text)}</div>;
    case "added":
    case "removed":
    case "context":
      return (
        <div className={`flex ${looks[line.kind]} ${found}`}>
          <span className="w-10 shrink-0 pr-1 text-right text-muted select-none max-md:hidden">{line.before}</span>
          <span className="w-10 shrink-0 pr-1 text-right text-muted select-none">{line.after}</span>
          <span className="w-4 shrink-0 text-center select-none">{signs[line.kind]}</span>
          <span className="min-w-0 flex-1 break-all whitespace-pre-wrap">{visible(line.text)}</span>
        </div>
      );
    default:
      return line satisfies never;
  }
});
