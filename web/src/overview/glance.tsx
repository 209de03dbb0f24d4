import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { InboxEntry, Overview } from "../data/index.ts";
import { Ago, Money, plural, StatusMark, Took } from "../ui/index.ts";

/** The five figures that say whether anything needs a person. Each links to what is behind it. */
export function Glance({ overview, inbox }: { overview: Overview; inbox: readonly InboxEntry[] }) {
  const { waiting, queue, slots, spentToday } = overview;
  const oldest = inbox.reduce<number | undefined>(
    (at, entry) => (at === undefined ? entry.openedAt : Math.min(at, entry.openedAt)),
    undefined,
  );
  const isPartlyScripted = spentToday > 0 && overview.runs.some((run) => run.scripted && run.microUsd > 0);
  return (
    <section aria-label="At a glance" className="grid grid-cols-2 gap-2 md:grid-cols-4">
      <Figure
        to="/inbox"
        isLoud={waiting > 0}
        what={waiting === 1 ? "waits for you" : "wait for you"}
        figure={<FigureText mark={waiting > 0}>{waiting}</FigureText>}
      >
        {waiting === 0 ? (
          "nothing to answer"
        ) : oldest === undefined ? (
          "open the inbox"
        ) : (
          <>
            the oldest came <Ago at={oldest} />
          </>
        )}
      </Figure>
      <Figure to="/agents" what="agents at work" figure={`${slots.busy} of ${slots.total}`}>
        {slots.busy === 0 ? "all slots are free" : plural(queue.running, "attempt runs", "attempts run")}
      </Figure>
      <Figure to="/agents" what="queued" figure={queue.queued}>
        {queue.oldestWaitMs === undefined || queue.queued === 0 ? (
          "nothing waits for a slot"
        ) : (
          <>
            the oldest waits for <Took ms={queue.oldestWaitMs} />
          </>
        )}
      </Figure>
      <Figure to="/cost" what="spent today" figure={<Money microUsd={spentToday} />}>
        {isPartlyScripted ? "all runs of this home, scripted models too" : "all runs of this home"}
      </Figure>
    </section>
  );
}

function FigureText({ mark, children }: { mark: boolean; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-2">
      {mark ? <StatusMark status="person" size={18} /> : undefined}
      {children}
    </span>
  );
}

function Figure({
  to,
  what,
  figure,
  isLoud = false,
  children,
}: {
  to: string;
  what: string;
  figure: ReactNode;
  isLoud?: boolean;
  children: ReactNode;
}) {
  return (
    <Link
      to={to}
      className={`flex min-w-0 flex-col rounded-lg border px-3 py-2 hover:border-strong-line ${isLoud ? "border-wait bg-wait-soft" : "border-line bg-surface"}`}
    >
      <span className="flex flex-wrap items-baseline gap-x-2">
        <span className={`text-xl font-semibold ${isLoud ? "text-wait" : ""}`}>{figure}</span>
        <span className={isLoud ? "text-wait" : "text-muted"}>{what}</span>
      </span>
      <span className={`text-xs ${isLoud ? "text-wait" : "text-muted"}`}>{children}</span>
    </Link>
  );
}
