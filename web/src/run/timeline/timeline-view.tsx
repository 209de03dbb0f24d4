import { useRef, useState, type PointerEvent } from "react";
import { VList } from "virtua";
import { Button, clockText, durationText, Empty, exactTime } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import { activity, barsOf, type Bar } from "../model/activity.ts";
import { attemptName } from "../model/describe-event.ts";
import type { Span } from "../model/spans.ts";
import { timeScale, type TimeScale } from "../model/time-scale.ts";
import { timelineRows, zoom, type TimelineRow } from "../model/timeline-rows.ts";
import { useKeyed } from "../use-keyed.ts";
import { useWidth } from "../use-width.ts";

/** Pixels: the names of steps, and a time on the axis. */
const NAMES = 150;
const MARK = 110;

/** What ran when: attempts as bars, a row for each step; what waited for people apart; what nobody spent drawn short. */
export function TimelineView({
  frame,
  selected,
  onSelect,
  onSeek,
}: {
  frame: Frame;
  selected: string | undefined;
  onSelect(path: string, attempt?: string): void;
  onSeek(version: number): void;
}) {
  const { state, facts, version, now } = frame;
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(0, useWidth(box) - NAMES - 16);
  const [chosen, setChosen] = useState<Span | undefined>();
  const bars = useKeyed(() => barsOf(state, facts, now), state, facts, version, now);
  const pieces = useKeyed(() => activity(state, bars, now), bars);
  const whole = { from: state.startedAt, to: Math.max(state.startedAt + 1, state.endedAt ?? now) };
  const range = chosen ? { from: Math.max(chosen.from, whole.from), to: Math.min(chosen.to, whole.to) } : whole;
  const scale = timeScale(pieces, range, width);
  const rows = timelineRows(bars, range);
  const zoomBy = (factor: number): void => setChosen(zoom(range, whole, factor));
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-wrap items-center gap-2 py-1 pr-40 pl-2 text-xs text-muted">
        <Legend />
        <span className="ml-auto flex items-center gap-1">
          <Button small look="quiet" onClick={() => zoomBy(0.5)} aria-label="Zoom in">
            +
          </Button>
          <Button small look="quiet" onClick={() => zoomBy(2)} disabled={!chosen} aria-label="Zoom out">
            −
          </Button>
          <Button small look="quiet" onClick={() => setChosen(undefined)} disabled={!chosen}>
            all
          </Button>
        </span>
      </div>
      <div ref={box} className="flex min-h-0 flex-1 flex-col">
        {rows.length === 0 || width === 0 ? (
          <Empty title="Nothing ran in this range." />
        ) : (
          <>
            <Axis scale={scale} range={range} onRange={setChosen} onPoint={(at) => onSeek(Math.max(1, frame.history.versionAt(at)))} />
            <div className="relative min-h-0 flex-1">
              <Breaks scale={scale} />
              <VList data={rows} itemSize={24} className="h-full" role="list" aria-label="Attempts by step">
                {(row) => (
                  <Row key={row.path} row={row} scale={scale} range={range} isSelected={row.path === selected} onSelect={onSelect} />
                )}
              </VList>
            </div>
          </>
        )}
      </div>
    </div>
  );
}

/** The range and its times. Dragging over it chooses a part; a click shows the page as it was then. */
function Axis({
  scale,
  range,
  onRange,
  onPoint,
}: {
  scale: TimeScale;
  range: Span;
  onRange(range: Span): void;
  onPoint(at: number): void;
}) {
  const [drag, setDrag] = useState<{ from: number; to: number } | undefined>();
  const where = (event: PointerEvent<HTMLElement>): number =>
    Math.max(0, Math.min(scale.width, event.clientX - event.currentTarget.getBoundingClientRect().left));
  const count = Math.max(1, Math.min(8, Math.floor(scale.width / MARK)));
  const marks = Array.from({ length: count }, (_, i) => ({ x: (i / count) * scale.width, at: scale.at((i / count) * scale.width) }));
  return (
    <div className="flex border-b border-line text-xs text-muted">
      <span className="shrink-0 truncate px-2" style={{ width: NAMES }}>
        {durationText(range.to - range.from)}
      </span>
      <div
        className="relative h-5 cursor-crosshair touch-none overflow-hidden select-none"
        style={{ width: scale.width }}
        title="Drag to look at a part; click to see the page as it was then"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: where(event), to: where(event) });
        }}
        onPointerMove={(event) => drag && setDrag({ ...drag, to: where(event) })}
        onPointerUp={() => {
          const [from, to] = drag ? [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)] : [0, 0];
          setDrag(undefined);
          if (to - from > 4) onRange({ from: scale.at(from), to: scale.at(to) });
          else if (drag) onPoint(scale.at(from));
        }}
      >
        {marks.map(({ x, at }) => (
          <span key={x} className="absolute top-0 border-l border-line pl-1 whitespace-nowrap" style={{ left: x }} title={exactTime(at)}>
            {clockText(at)}
          </span>
        ))}
        {drag ? (
          <span
            className="absolute inset-y-0 bg-accent-soft opacity-60"
            style={{ left: Math.min(drag.from, drag.to), width: Math.abs(drag.to - drag.from) }}
          />
        ) : undefined}
      </div>
    </div>
  );
}

/** Where time is drawn short, it is said how long it was and what it was. */
function Breaks({ scale }: { scale: TimeScale }) {
  return scale.breaks.map((b) => (
    <div
      key={b.from}
      className={`run-hatch pointer-events-none absolute inset-y-0 z-10 flex items-center justify-center overflow-hidden border-x border-dashed ${b.kind === "people" ? "border-wait text-wait" : "border-strong-line text-muted"}`}
      style={{ left: NAMES + b.x0, width: b.x1 - b.x0 }}
    >
      <span className="rotate-180 rounded bg-surface px-0.5 text-xs whitespace-nowrap [writing-mode:vertical-rl]">
        {b.kind === "people" ? "waited for people " : "idle "}
        {durationText(b.to - b.from)}
      </span>
    </div>
  ));
}

const looks: Readonly<Record<Bar["what"], string>> = {
  queue: "border border-dashed border-strong-line bg-transparent",
  run: "bg-busy",
  merge: "bg-accent opacity-60",
  people: "border border-wait bg-wait-soft",
};

const ends: Partial<Record<NonNullable<Bar["phase"]>, string>> = {
  accepted: "bg-good",
  merging: "bg-good",
  merged: "bg-good",
  rejected: "bg-bad",
  refused: "bg-bad",
  failed: "bg-bad",
  interrupted: "bg-warn",
};

function Row({
  row,
  scale,
  range,
  isSelected,
  onSelect,
}: {
  row: TimelineRow;
  scale: TimeScale;
  range: Span;
  isSelected: boolean;
  onSelect(path: string, attempt?: string): void;
}) {
  return (
    <div role="listitem" className={`flex h-6 items-center ${isSelected ? "bg-accent-soft" : ""}`}>
      <button
        type="button"
        className="shrink-0 truncate px-2 text-left text-xs hover:underline"
        style={{ width: NAMES }}
        title={row.path}
        onClick={() => onSelect(row.path)}
      >
        {row.path}
      </button>
      <div className="relative h-4" style={{ width: scale.width }}>
        {row.bars.map((bar) => {
          const left = scale.x(Math.max(bar.from, range.from));
          const width = Math.max(2, scale.x(Math.min(bar.to, range.to)) - left);
          const look = (bar.what === "run" && bar.phase && !bar.isOpen && ends[bar.phase]) || looks[bar.what];
          return (
            <button
              type="button"
              key={`${bar.what}${bar.from}${bar.attempt ?? ""}`}
              tabIndex={-1}
              title={barText(bar)}
              aria-label={barText(bar)}
              onClick={() => onSelect(row.path, bar.attempt)}
              className={`absolute h-4 rounded-sm ${bar.what === "queue" ? "top-1 h-2" : "top-0"} ${look}`}
              style={{ left, width }}
            />
          );
        })}
      </div>
    </div>
  );
}

const words: Readonly<Record<Bar["what"], string>> = {
  queue: "waited for a slot",
  run: "ran",
  merge: "was being merged",
  people: "waited for people",
};

const barText = (bar: Bar): string =>
  `${bar.attempt === undefined ? "" : `${attemptName(bar.attempt)} `}${words[bar.what]} ${durationText(bar.to - bar.from)}${bar.isOpen ? " so far" : bar.what === "run" && bar.phase ? `, ${bar.phase}` : ""}`;

function Legend() {
  const items: readonly [string, string][] = [
    ["bg-good", "accepted"],
    ["bg-bad", "refused or failed"],
    ["bg-busy", "runs"],
    [looks.queue, "waits for a slot"],
    [looks.merge, "merging"],
    [looks.people, "waits for people"],
  ];
  return items.map(([look, name]) => (
    <span key={name} className="inline-flex items-center gap-1">
      <span className={`inline-block h-2.5 w-4 rounded-sm ${look}`} aria-hidden="true" /> {name}
    </span>
  ));
}
