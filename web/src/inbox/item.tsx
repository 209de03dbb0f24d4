import { Link } from "@tanstack/react-router";
import type { GivenAnswer, InboxEntry } from "../data/index.ts";
import { Ago, AnswerForm, nameOf, plural, StatusMark, Tag, visibleText, type Status } from "../ui/index.ts";
import { Evidence } from "./evidence.tsx";

const kinds: Readonly<Record<InboxEntry["kind"], { word: string; mark: Status }>> = {
  approval: { word: "Approval", mark: "person" },
  question: { word: "Question", mark: "unknown" },
  permission: { word: "An agent asks leave", mark: "stuck" },
  budget: { word: "Budget spent", mark: "budget" },
  conflict: { word: "Conflict", mark: "note" },
};

interface ItemProps {
  id: string;
  entry: InboxEntry;
  given: GivenAnswer | undefined;
  isGone: boolean;
  isChosen: boolean;
  keys: true | "resting";
  onChoose: () => void;
  onOpen: () => void;
  onRecorded: () => void;
}

/** One thing that waits: a line, and, when it is chosen, what it is about and how to answer. */
export function Item({ id, entry, given, isGone, isChosen, keys, onChoose, onOpen, onRecorded }: ItemProps) {
  const kind = kinds[entry.kind];
  const isRecorded = given?.kind === "recorded";
  return (
    <li className={`rounded-lg border bg-surface ${isChosen ? "border-accent" : "border-line"}`}>
      <button
        type="button"
        id={id}
        aria-expanded={isChosen}
        aria-controls={`${id}-more`}
        // By key, on what is chosen already: Enter opens it. A click has a count.
        onClick={(event) => (isChosen && event.detail === 0 ? onOpen() : onChoose())}
        className="flex w-full flex-wrap items-center gap-x-3 gap-y-1 rounded-lg px-3 py-2 text-left"
      >
        <StatusMark status={isRecorded ? "succeeded" : kind.mark} word={isRecorded ? "answered" : kind.word} />
        <span className="min-w-0 flex-1 basis-60 font-medium break-words">{visibleText(entry.title)}</span>
        <span className="flex flex-wrap items-center gap-2 text-xs text-muted">
          {isGone ? <Tag>waits no more</Tag> : <Given given={given} />}
          {entry.unblocks > 0 && !isRecorded && !isGone ? <Tag tone="wait">unblocks {plural(entry.unblocks, "step")}</Tag> : undefined}
          {entry.expiresAt === undefined ? undefined : (
            <Tag tone="warn">
              expires&nbsp;
              <Ago at={entry.expiresAt} />
            </Tag>
          )}
          <span>{kind.word}</span>
          <Ago at={entry.openedAt} />
        </span>
      </button>
      <div id={`${id}-more`} hidden={!isChosen} className="flex flex-col gap-3 border-t border-line px-3 py-3">
        {isChosen ? (
          <>
            <p className="flex flex-wrap gap-x-3 text-muted">
              <Link to="/runs/$runId" params={{ runId: entry.runId }} search={{ step: entry.step }} className="text-accent underline">
                {entry.pipeline} › {entry.step}
              </Link>
              <span title={entry.project}>in {nameOf(entry.project)}</span>
              {entry.who.length > 0 ? <span>asked: {entry.who.join(", ")}</span> : undefined}
            </p>
            {entry.detail === undefined ? undefined : (
              <pre className="max-h-80 overflow-auto rounded-md bg-raised p-2 font-mono text-xs whitespace-pre-wrap" tabIndex={0}>
                {visibleText(entry.detail)}
              </pre>
            )}
            {isGone ? (
              <p role="status">It waits no more: it was answered elsewhere, its time is over, or its run has ended.</p>
            ) : (
              <>
                <Evidence entry={entry} />
                <AnswerForm entry={entry} keys={keys} onRecorded={onRecorded} />
              </>
            )}
          </>
        ) : undefined}
      </div>
    </li>
  );
}

const words = { approve: "approved", reject: "rejected", rework: "sent back for rework", answer: "answered" } as const;

/** How an answer from here went, also when the next item is looked at by now. */
function Given({ given }: { given: GivenAnswer | undefined }) {
  switch (given?.kind) {
    case undefined:
      return undefined;
    case "sending":
      return <Tag>sending, not recorded yet</Tag>;
    case "recorded":
      return <Tag tone="good">recorded: {given.verdict === "answer" ? given.text : words[given.verdict]}</Tag>;
    case "failed":
      return <Tag tone="bad">not recorded</Tag>;
    default:
      return given satisfies never;
  }
}
