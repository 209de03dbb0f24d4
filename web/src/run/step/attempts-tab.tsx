import { useState } from "react";
import type { StepState } from "../../../../src/domain/index.ts";
import type { LiveAttempt } from "../../data/index.ts";
import { Button, Empty, Money, plural } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import type { Spent } from "../model/spent.ts";
import { listOrder } from "../model/step-view.ts";
import { fanText, StepMark } from "../step-marks.tsx";
import { AttemptCard } from "./attempt-card.tsx";
import { AgentActions } from "./agent-actions.tsx";
import { Evidence } from "./evidence.tsx";

/** A step that was tried a hundred times is no reason to draw a hundred of them for each event. */
const MOST_AT_FIRST = 12;

/** How a step went, the latest attempt first. */
export function AttemptsTab({
  frame,
  s,
  attempt,
  live,
  spent,
  onSelect,
}: {
  frame: Frame;
  s: StepState;
  attempt: string | undefined;
  live: ReadonlyMap<string, LiveAttempt>;
  spent: ReadonlyMap<string, Spent>;
  onSelect(path: string): void;
}) {
  const [most, setMost] = useState(MOST_AT_FIRST);
  const all = s.attempts.filter((a) => attempt === undefined || a.id === attempt).toReversed();
  const shown = all.slice(0, most);
  const fan = frame.views.get(s.step.path)?.fan;
  return (
    <div className="h-full overflow-y-auto" tabIndex={0} role="region" aria-label="Attempts">
      {s.because ? (
        <p className={`border-b border-line px-3 py-2 break-words whitespace-pre-wrap ${s.status === "failed" ? "text-bad" : ""}`}>
          {s.because}
        </p>
      ) : undefined}
      <AgentActions frame={frame} s={s} />
      {fan ? <Group frame={frame} path={s.step.path} text={fanText(fan)} round={fan.round} onSelect={onSelect} /> : undefined}
      {shown.map((a) => (
        <AttemptCard key={a.id} frame={frame} s={s} attempt={a} live={live.get(a.id)} spent={spent.get(a.id)} />
      ))}
      {all.length > most ? (
        <p className="px-3 py-2">
          <Button small onClick={() => setMost(all.length)}>
            Show the {plural(all.length - most, "attempt")} before these
          </Button>
        </p>
      ) : undefined}
      {shown.length === 0 && !fan && (s.step.kind === "agent" || s.step.kind === "command") ? (
        <Empty title="No attempt yet.">{waitsFor(frame, s)}</Empty>
      ) : undefined}
    </div>
  );
}

/** As many of a group's steps are named with it: those that a person must see first. */
const MOST_INSIDE = 30;

function Group({
  frame,
  path,
  text,
  round,
  onSelect,
}: {
  frame: Frame;
  path: string;
  text: string;
  round: number;
  onSelect(path: string): void;
}) {
  const picks = frame.facts.picks(frame.version).filter((p) => p.step === path);
  const inside = listOrder(new Map([...frame.views].filter(([, v]) => v.parent === path)));
  return (
    <section className="flex flex-col gap-2 border-b border-line px-3 py-2">
      <p>
        {round > 1 ? `Round ${round}: ` : ""}
        {text}
      </p>
      <ul aria-label={`Steps in ${path}`} className="flex flex-wrap gap-1">
        {inside.slice(0, MOST_INSIDE).map((v) => (
          <li key={v.path}>
            <Button small onClick={() => onSelect(v.path)}>
              <StepMark status={v.status} /> {v.label}
            </Button>
          </li>
        ))}
        {inside.length > MOST_INSIDE ? (
          <li className="text-muted">and {inside.length - MOST_INSIDE} more in the list of steps</li>
        ) : undefined}
      </ul>
      {picks.map((p) => (
        <div key={p.version}>
          <p>
            {p.attempt.slice(p.attempt.indexOf("/") + 1)} was picked: {p.because}
            {p.microUsd === undefined ? undefined : (
              <span className="text-muted">
                {" "}
                (asking judges cost <Money microUsd={p.microUsd} />)
              </span>
            )}
          </p>
          {p.evidence ? <Evidence text={p.evidence} /> : undefined}
        </div>
      ))}
    </section>
  );
}

function waitsFor(frame: Frame, s: StepState): string {
  if (s.status === "skipped" || s.status === "cancelled") return `It was ${s.status}.`;
  const open = s.step.needs.filter((n) => {
    const status = frame.state.steps.get(n)?.status;
    return status !== "completed" && status !== "skipped" && status !== "failed" && status !== "cancelled";
  });
  return open.length > 0 ? `It needs ${open.join(", ")} first.` : "It is about to start.";
}
