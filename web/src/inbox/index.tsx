import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useGivenAnswers, useInbox, type InboxEntry } from "../data/index.ts";
import { CommandLine, Empty, Kbd, Loading, Panel, plural, ProblemNote, useShortcuts } from "../ui/index.ts";
import { Item } from "./item.tsx";

/** Everything that waits for people, what unblocks most first, answered where it stands. */
export function InboxPage() {
  const inbox = useInbox();
  const given = useGivenAnswers();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<string>();
  const entries = useKept(inbox.data, given);
  const at = Math.max(
    0,
    entries.findIndex(({ item }) => item === chosen),
  );
  const current = entries[at];

  const move = (by: 1 | -1): void => {
    const next = entries[Math.max(0, Math.min(entries.length - 1, at + by))];
    if (!next) return;
    setChosen(next.item);
    document.getElementById(domId(next.item))?.focus();
  };
  const open = (entry = current): void => {
    if (entry) void navigate({ to: "/runs/$runId", params: { runId: entry.runId }, search: { step: entry.step } });
  };
  useShortcuts({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => open() });

  const isOpen = ({ item }: InboxEntry): boolean => given[item]?.kind !== "recorded";
  const left = entries.filter(isOpen);
  /** The next that is open, unless somebody has chosen another meanwhile. */
  const goOn = (from: string): void => {
    const index = entries.findIndex(({ item }) => item === from);
    const next = [...entries.slice(index + 1), ...entries.slice(0, index)].find(isOpen);
    if (next) setChosen((now) => (now === undefined || now === from ? next.item : now));
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
      {inbox.data && entries.length === 0 ? (
        <Panel>
          <Empty title="Nothing waits for you.">
            Approvals, questions, budgets that are spent and leave that agents ask for come here by themselves, with those first that
            unblock most. In a terminal it is <CommandLine command="stepfall inbox" />
          </Empty>
        </Panel>
      ) : undefined}
      <ol aria-label="What waits, what unblocks most first" className="flex flex-col gap-2">
        {entries.map((entry) => (
          <Item
            key={entry.item}
            id={domId(entry.item)}
            entry={entry}
            given={given[entry.item]}
            isChosen={entry === current}
            onChoose={() => setChosen(entry.item)}
            onOpen={() => open(entry)}
            onRecorded={() => goOn(entry.item)}
          />
        ))}
      </ol>
    </div>
  );
}

const domId = (item: string): string => `item-${item}`;

/** What was answered here stays in its place until the page is left: the line under the cursor must not become another one. */
function useKept(inbox: readonly InboxEntry[] | undefined, given: ReturnType<typeof useGivenAnswers>): readonly InboxEntry[] {
  const [kept, setKept] = useState<readonly InboxEntry[]>(inbox ?? []);
  useEffect(() => {
    if (!inbox) return;
    setKept((before) => {
      const there = new Map(inbox.map((entry) => [entry.item, entry]));
      const stay = before.flatMap((entry) => there.get(entry.item) ?? (given[entry.item] ? [entry] : []));
      const known = new Set(stay.map(({ item }) => item));
      const added = inbox.filter(({ item }) => !known.has(item));
      // Until somebody has answered something the order is the server's.
      return stay.some(({ item }) => given[item]) ? [...stay, ...added] : inbox;
    });
  }, [inbox, given]);
  return kept;
}
