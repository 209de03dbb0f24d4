import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useGivenAnswers, useInbox, type InboxEntry } from "../data/index.ts";
import { Empty, Kbd, Loading, Panel, plural, ProblemNote, useShortcuts } from "../ui/index.ts";
import { Item } from "./item.tsx";
import { afterChange, choose, type ShownInbox, type ShownItem } from "./shown.ts";

/** Everything that waits for people, what unblocks most first, answered where it stands. */
export function InboxPage() {
  const inbox = useInbox();
  const given = useGivenAnswers();
  const navigate = useNavigate();
  const [{ items, chosen }, change] = useShown(inbox.data, given);
  const [isResting, rest, wake] = useRest();
  const at = items.findIndex(({ entry }) => entry.item === chosen);
  const current = items[at]?.entry;

  const move = (by: 1 | -1): void => {
    const next = items[Math.max(0, Math.min(items.length - 1, at + by))]?.entry;
    if (!next) return;
    wake();
    change((shown) => choose(shown, next.item));
    document.getElementById(domId(next.item))?.focus();
  };
  const open = (entry = current): void => {
    if (entry) void navigate({ to: "/runs/$runId", params: { runId: entry.runId }, search: { step: entry.step } });
  };
  useShortcuts({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => open() });

  const isOpen = ({ entry: { item }, isGone }: ShownItem): boolean => !isGone && given[item]?.kind !== "recorded";
  const left = items.filter(isOpen);
  /** The next that is open, unless somebody has chosen another meanwhile. */
  const goOn = (from: string): void => {
    const index = items.findIndex(({ entry }) => entry.item === from);
    const next = [...items.slice(index + 1), ...items.slice(0, index)].find(isOpen);
    if (!next) return;
    rest();
    change((shown) => (shown.chosen === from ? choose(shown, next.entry.item) : shown));
  };

  return (
    <div className="mx-auto flex max-w-4xl flex-col gap-3">
      <header className="flex flex-wrap items-baseline justify-between gap-2">
        <h1 className="text-lg font-semibold">
          Inbox
          {left.length > 0 ? <span className="font-normal text-muted"> · {plural(left.length, "waits", "wait")} for you</span> : undefined}
        </h1>
        <p className="hidden items-center gap-1 text-xs text-muted md:flex">
          <Kbd>j</Kbd>
          <Kbd>k</Kbd> choose <Kbd>a</Kbd> approve <Kbd>r</Kbd> reject <Kbd>w</Kbd> rework <Kbd>1</Kbd>…<Kbd>9</Kbd> answer <Kbd>Enter</Kbd>{" "}
          open
        </p>
      </header>
      {inbox.error && !inbox.data ? <ProblemNote problem={inbox.error} retry={() => void inbox.refetch()} /> : undefined}
      {inbox.isPending ? <Loading what="Loading what waits" /> : undefined}
      {inbox.data && items.length === 0 ? (
        <Panel>
          <Empty title="Nothing waits for you." command="stepfall inbox">
            Approvals, questions, budgets that are spent and leave that agents ask for come here by themselves, those first that unblock
            most. Runs and their results are on{" "}
            <Link to="/" className="text-accent underline">
              Overview
            </Link>
            . The same list in a terminal:
          </Empty>
        </Panel>
      ) : undefined}
      <ol aria-label="What waits, what unblocks most first" className="flex flex-col gap-2">
        {items.map(({ entry, isGone }) => (
          <Item
            key={entry.item}
            id={domId(entry.item)}
            entry={entry}
            given={given[entry.item]}
            isGone={isGone}
            isChosen={entry === current}
            keys={isResting ? "resting" : true}
            onChoose={() => {
              wake();
              change((shown) => choose(shown, entry.item));
            }}
            onOpen={() => open(entry)}
            onRecorded={() => goOn(entry.item)}
          />
        ))}
      </ol>
    </div>
  );
}

const domId = (item: string): string => `item-${item}`;

function useShown(inbox: readonly InboxEntry[] | undefined, given: ReturnType<typeof useGivenAnswers>) {
  const [shown, change] = useState<ShownInbox>(() => afterChange({ items: [] }, inbox ?? [], () => false));
  useEffect(() => {
    if (inbox) change((before) => afterChange(before, inbox, (item) => given[item] !== undefined));
  }, [inbox, given]);
  return [shown, change] as const;
}

/** Longer than somebody takes who presses a key twice because nothing was to be seen yet. */
const REST_MS = 500;

/** For a moment after the page went on by itself keys answer nothing: the second press was meant for the item before. Choosing one ends it. */
function useRest(): [isResting: boolean, rest: () => void, wake: () => void] {
  const [restsSince, setRestsSince] = useState<number>();
  useEffect(() => {
    if (restsSince === undefined) return;
    const timer = setTimeout(() => setRestsSince(undefined), REST_MS);
    return () => clearTimeout(timer);
  }, [restsSince]);
  return [restsSince !== undefined, () => setRestsSince(performance.now()), () => setRestsSince(undefined)];
}
