import { memo, type ReactNode } from "react";
import { isOver, type StepState } from "../../../../src/domain/index.ts";
import { useLive } from "../../data/index.ts";
import { Button, Empty, inputClass, Kbd, Money } from "../../ui/index.ts";
import { StepDiff } from "../diff/step-diff.tsx";
import type { Frame } from "../frame.ts";
import { LogView } from "../log/log-view.tsx";
import { TranscriptView } from "../log/transcript-view.tsx";
import { changeOf } from "../model/change-of.ts";
import type { Spent } from "../model/spent.ts";
import { StepMark } from "../step-marks.tsx";
import { AttemptsTab } from "./attempts-tab.tsx";
import { Evidence } from "./evidence.tsx";
import { StepPeople } from "./people.tsx";
import { PromptTab } from "./prompt-tab.tsx";

export const tabs = ["attempts", "log", "diff", "transcript", "output", "prompt"] as const;
export type Tab = (typeof tabs)[number];
const names: Readonly<Record<Tab, ReactNode>> = {
  attempts: "Attempts",
  log: (
    <>
      Log <Kbd>l</Kbd>
    </>
  ),
  diff: (
    <>
      Diff <Kbd>d</Kbd>
    </>
  ),
  transcript: "Transcript",
  output: "Output",
  prompt: "Prompt",
};

export interface PanelProps {
  frame: Frame;
  path: string | undefined;
  /** Of its attempts, only this one. */
  attempt: string | undefined;
  tab: Tab;
  isFollowed: boolean;
  isWide: boolean;
  /** What the ledger has of each attempt. */
  spent: ReadonlyMap<string, Spent>;
  onSelect(path: string): void;
  onTab(tab: Tab): void;
  onAttempt(attempt: string | undefined): void;
  onFollow(isFollowed: boolean): void;
  onWide(isWide: boolean): void;
}

/**
 * All that is known of the chosen step, as it was at the event the page shows. Drawn again for events about this step and what it needs, for what a
 * person does, and with the clock while it goes on; not for what happens elsewhere in the run. Handlers are to be the same from one time to the next.
 */
export const StepPanel = memo(Panel, (was, is) => {
  const { frame: before, ...restBefore } = was;
  const { frame, ...rest } = is;
  return sameFrame(before, frame, rest.path) && (Object.keys(rest) as (keyof typeof rest)[]).every((k) => rest[k] === restBefore[k]);
});

function sameFrame(a: Frame, b: Frame, path: string | undefined): boolean {
  if (path === undefined) return true;
  if (a.isNow !== b.isNow || a.runId !== b.runId || a.views.get(path) !== b.views.get(path)) return false;
  if (b.facts.touched(path, a.version) !== b.facts.touched(path, b.version)) return false;
  const needs = b.state.steps.get(path)?.step.needs ?? [];
  if (needs.some((need) => a.views.get(need)?.status !== b.views.get(need)?.status)) return false;
  // As it was: the log is cut at the time of the event.
  return b.isNow ? isOverAt(b, path) || Math.floor(a.now / 1000) === Math.floor(b.now / 1000) : a.now === b.now;
}

const isOverAt = (frame: Frame, path: string): boolean => {
  const s = frame.state.steps.get(path);
  return s !== undefined && isOver(s);
};

function Panel(props: PanelProps) {
  const { frame, path, attempt, tab } = props;
  const s = path === undefined ? undefined : frame.state.steps.get(path);
  if (path === undefined) return <Empty title="Choose a step to see its attempts, log and diff." />;
  const view = frame.views.get(path);
  if (!s || !view) return <Empty title={`${path} is not there yet.`}>At this event of the run its group has no steps.</Empty>;
  return (
    <section aria-label={`Step ${path}`} className="flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1.5">
        <StepMark status={view.status} label />
        <h2 className="min-w-0 truncate font-semibold" title={path}>
          {path}
        </h2>
        <span className="text-xs text-muted">
          {s.step.kind}
          {view.agent ? ` · ${view.agent}` : ""}
          {view.tier && s.step.kind === "agent" ? ` · ${view.tier}` : ""}
          {view.cost ? (
            <span title="Of its attempts that are over">
              {" "}
              · <Money microUsd={view.cost.microUsd} />
            </span>
          ) : undefined}
        </span>
        <span className="ml-auto flex items-center gap-2">
          {s.attempts.length > 1 ? (
            <select
              aria-label="Show attempt"
              className={`${inputClass} !w-auto !py-0.5 text-xs`}
              value={attempt ?? ""}
              onChange={(event) => props.onAttempt(event.target.value === "" ? undefined : event.target.value)}
            >
              <option value="">all attempts</option>
              {s.attempts.map((a) => (
                <option key={a.id} value={a.id}>
                  attempt {a.n}: {a.phase}
                </option>
              ))}
            </select>
          ) : undefined}
          <Button small look="quiet" aria-pressed={props.isWide} onClick={() => props.onWide(!props.isWide)}>
            {props.isWide ? "Smaller" : "Larger"}
          </Button>
        </span>
      </header>
      <StepPeople frame={frame} s={s} />
      <div role="tablist" aria-label="Of the step" className="flex flex-wrap gap-1 border-b border-line px-2 py-1">
        {tabs.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`run-tab-${name}`}
            aria-selected={tab === name}
            aria-controls="run-tabpanel"
            onClick={() => props.onTab(name)}
            className={`rounded px-2 py-0.5 text-sm ${tab === name ? "bg-accent-soft font-medium" : "text-muted hover:bg-raised hover:text-ink"}`}
          >
            {names[name]}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="run-tabpanel" aria-labelledby={`run-tab-${tab}`} className="min-h-0 flex-1">
        <TabContent {...props} s={s} />
      </div>
    </section>
  );
}

function TabContent({ frame, attempt, tab, isFollowed, spent, onFollow, onSelect, s }: PanelProps & { s: StepState }) {
  const live = useLive(frame.runId);
  const { runId, isNow } = frame;
  const path = s.step.path;
  const of = { runId, step: path, attempt: s.attempts.some((a) => a.id === attempt) ? attempt : undefined };
  const until = isNow ? undefined : frame.now;
  switch (tab) {
    case "attempts":
      return <AttemptsTab frame={frame} s={s} attempt={of.attempt} live={live} spent={spent} onSelect={onSelect} />;
    case "log":
      return <LogView {...of} until={until} isFollowed={isFollowed && isNow} onFollow={onFollow} />;
    case "diff":
      return <StepDiff runId={runId} {...changeOf(s, of.attempt)} />;
    case "transcript":
      return <TranscriptView {...of} until={until} />;
    case "output":
      return s.output === undefined ? (
        <Empty title="No structured output.">Steps that declare one have it here once they are completed.</Empty>
      ) : (
        <div className="h-full overflow-auto px-3 py-2">
          <Evidence text={typeof s.output === "string" ? s.output : JSON.stringify(s.output, undefined, 2)} />
        </div>
      );
    case "prompt":
      return <PromptTab runId={runId} step={s.step} attempt={s.attempts.find((a) => a.id === of.attempt) ?? s.attempts.at(-1)} />;
    default:
      return tab satisfies never;
  }
}
