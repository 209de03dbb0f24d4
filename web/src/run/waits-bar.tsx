import { Link } from "@tanstack/react-router";
import { stillWaits } from "../../../src/domain/index.ts";
import { Ago, AnswerForm, Button, StatusMark, visibleText } from "../ui/index.ts";
import type { Frame } from "./frame.ts";

/** So many are answered here; the others in the inbox. */
const MOST = 3;

/** What waits for people in the run, above all else: whoever opens the page of a run that waits has come to answer. */
export function WaitsBar({
  frame,
  selected,
  onSelect,
  onResult,
}: {
  frame: Frame;
  selected: string | undefined;
  onSelect: (step: string) => void;
  onResult: (isShown: boolean) => void;
}) {
  const open = frame.isNow ? [...frame.state.inbox.values()].filter(stillWaits) : [];
  if (open.length === 0) return undefined;
  // What is being looked at comes first.
  const items = open.toSorted((a, b) => Number(b.step === selected) - Number(a.step === selected) || a.openedAt - b.openedAt);
  return (
    <section
      aria-label="Waits for you"
      className="flex max-h-[40vh] flex-col gap-3 overflow-y-auto rounded-lg border border-line bg-wait-soft px-3 py-2"
    >
      {items.slice(0, MOST).map((item) => (
        <div key={item.item} className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <p className="flex min-w-0 flex-wrap items-center gap-2 font-medium break-words">
            <StatusMark status="person" /> {visibleText(item.title)}
            <span className="text-xs font-normal text-muted">
              {item.step}, asked <Ago at={item.openedAt} />
              {item.count > 1 ? `, ${item.answers.length} of ${item.count} have agreed` : ""}
              {item.who.length > 0 ? `, for ${item.who.join(", ")}` : ""}
            </span>
            {item.step === selected ? undefined : (
              <Button small onClick={() => onSelect(item.step)}>
                Look at it
              </Button>
            )}
            {item.kind === "approval" ? (
              <Button small onClick={() => onResult(true)}>
                What was changed
              </Button>
            ) : undefined}
          </p>
          <AnswerForm entry={item} keys={open.length === 1} />
        </div>
      ))}
      {open.length > MOST ? (
        <p>
          {open.length - MOST} more in the{" "}
          <Link to="/inbox" className="text-accent underline">
            inbox
          </Link>
          .
        </p>
      ) : undefined}
    </section>
  );
}
