import { memo, useCallback, useEffect, useMemo, useRef, useState, type CSSProperties } from "react";
import type { Recorded } from "../../../src/domain/index.ts";
import { useRunStatus } from "../data/index.ts";
import { Button, useShortcuts } from "../ui/index.ts";
import { RunDiff } from "./diff/run-diff.tsx";
import { useFrame } from "./frame.ts";
import { GraphView } from "./graph/graph-view.tsx";
import type { PlacedGraph } from "./graph/use-placed.ts";
import { drawnFor, graphShape, shapeKey } from "./model/graph.ts";
import { runKey } from "./model/keys.ts";
import { spentByAttempt } from "./model/spent.ts";
import { listOrder } from "./model/step-view.ts";
import { neighbour } from "./model/walk.ts";
import { RunHeader } from "./run-header.tsx";
import { StepList } from "./step-list.tsx";
import { StepPanel, type Tab } from "./step/step-panel.tsx";
import { TimeBar } from "./time-bar.tsx";
import { TimelineView } from "./timeline/timeline-view.tsx";
import { useKeyed } from "./use-keyed.ts";
import { useSelection } from "./use-selection.ts";
import { ViewContext, ViewStore } from "./view-store.ts";
import { WaitsBar } from "./waits-bar.tsx";

/** A run that has begun: everything below is a function of its events up to the one the slider is at. */
export const RunView = memo(function RunView({ runId, events, isLive }: { runId: string; events: readonly Recorded[]; isLive: boolean }) {
  const [seek, setSeek] = useState<number | undefined>();
  const { data: report, refetch } = useRunStatus(runId);
  const frame = useFrame(runId, events, seek, report?.status !== "stopped");
  // What is left of a run when it is over, such as a branch to merge, is asked for at once.
  const { outcome } = frame.history.at(frame.last);
  useEffect(() => {
    if (outcome !== undefined) void refetch();
  }, [outcome, refetch]);
  const { step, attempt, tab, isResult, choose } = useSelection(frame);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [side, setSide] = useState<"graph" | "timeline">("graph");
  const [isFollowed, setFollowed] = useState(true);
  const [isWide, setWide] = useState(false);
  const bill = report?.bill;
  const spent = useMemo(() => spentByAttempt(bill), [bill]);
  const placed = useRef<PlacedGraph | undefined>(undefined);
  const store = useMemo(() => new ViewStore(), []);
  useEffect(() => store.set(frame.views), [store, frame.views]);

  const key = shapeKey(frame.state, unfolded);
  const shape = useKeyed(() => graphShape(frame.state, unfolded), key);
  const drawn = step === undefined ? undefined : drawnFor(frame.state, step, unfolded);

  const panel = useRef<HTMLDivElement>(null);
  /** On a phone it is below all else: what was chosen is brought into sight. */
  const reveal = useCallback(() => {
    if (window.innerWidth < 768) requestAnimationFrame(() => panel.current?.scrollIntoView({ block: "start" }));
  }, []);
  const select = useCallback(
    (path: string, of?: string) => {
      choose({ step: path, ...(of === undefined ? {} : { attempt: of }) });
      reveal();
    },
    [choose, reveal],
  );
  const fold = useCallback(
    (path: string) =>
      setUnfolded((was) => {
        const now = new Set(was);
        if (!now.delete(path)) now.add(path);
        return now;
      }),
    [],
  );
  const showTab = useCallback((to: Tab) => choose({ tab: to }), [choose]);
  const showAttempt = useCallback((of: string | undefined) => choose({ attempt: of }), [choose]);
  const showResult = useCallback(
    (isShown: boolean) => {
      choose({ isResult: isShown });
      if (isShown) reveal();
    },
    [choose, reveal],
  );
  const keepPlaced = useCallback((graph: PlacedGraph) => {
    placed.current = graph;
  }, []);

  const press = (event: KeyboardEvent): boolean => {
    const said = runKey(event.key);
    switch (said?.do) {
      case "walk": {
        if (event.target instanceof HTMLElement && event.target.closest('[role="tabpanel"], [role="log"]')) return false;
        const isVertical = said.direction === "up" || said.direction === "down";
        const order = listOrder(frame.views);
        const at = order.findIndex((v) => v.path === step);
        const next =
          side === "graph" && !isVertical
            ? placed.current && drawn !== undefined && neighbour(placed.current.placed, drawn, said.direction)
            : order[at + (said.direction === "down" || said.direction === "right" ? 1 : -1)]?.path;
        if (next) select(next);
        return true;
      }
      case "show":
        choose({ tab: said.tab });
        return true;
      case "follow":
        choose({ tab: "log" });
        setFollowed(tab !== "log" || !isFollowed);
        return true;
      case "step":
        setSeek(frame.version + said.by >= frame.last ? undefined : Math.max(1, frame.version + said.by));
        return true;
      case "escape":
        if (!frame.isNow) setSeek(undefined);
        else if (isResult) showResult(false);
        else if (isWide) setWide(false);
        else return false;
        return true;
      case undefined:
        return false;
      default:
        return said satisfies never;
    }
  };
  useShortcuts(
    Object.fromEntries(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "l", "d", "f", "[", "]", "Escape"].map((k) => [k, press])),
  );

  return (
    <ViewContext value={store}>
      <div className="flex min-h-full flex-col gap-2 md:h-full md:min-h-0 [&_.spin-slow]:animate-none">
        <RunHeader frame={frame} report={report} isLive={isLive} isResult={isResult} onResult={showResult} />
        <WaitsBar frame={frame} selected={step} onSelect={select} onResult={showResult} />
        <TimeBar frame={frame} onSeek={setSeek} />
        <div className="grid min-h-0 flex-1 gap-2 md:grid-cols-[15rem_1fr]">
          <nav
            aria-label="Steps"
            style={{ "--steps": frame.views.size } as CSSProperties}
            className="h-[min(14rem,calc(var(--steps)*46px+2px))] overflow-hidden rounded-lg border border-line bg-surface md:h-auto"
          >
            <StepList views={frame.views} selected={step} onSelect={select} />
          </nav>
          <div
            className={`grid min-h-0 min-w-0 gap-2 ${isWide ? "grid-rows-[1fr]" : "grid-rows-[18rem_28rem] md:grid-rows-[minmax(9rem,2fr)_minmax(12rem,3fr)]"}`}
          >
            {isWide ? undefined : (
              <section
                aria-label={side === "graph" ? "Graph" : "Timeline"}
                className="relative min-h-0 overflow-hidden rounded-lg border border-line bg-surface"
              >
                <div className="absolute top-1 right-1 z-20 flex gap-1">
                  {(["graph", "timeline"] as const).map((name) => (
                    <Button
                      key={name}
                      small
                      look={side === name ? "primary" : "plain"}
                      aria-pressed={side === name}
                      onClick={() => setSide(name)}
                    >
                      {name}
                    </Button>
                  ))}
                </div>
                {side === "graph" ? (
                  <GraphView shape={shape} unfolded={unfolded} selected={drawn} onSelect={select} onFold={fold} onPlaced={keepPlaced} />
                ) : (
                  <TimelineView
                    frame={frame}
                    selected={step}
                    onSelect={select}
                    onSeek={(to) => setSeek(to >= frame.last ? undefined : to)}
                  />
                )}
              </section>
            )}
            <div ref={panel} className="min-h-0 overflow-hidden rounded-lg border border-line bg-surface">
              {isResult ? (
                <RunDiff frame={frame} onClose={() => showResult(false)} />
              ) : (
                <StepPanel
                  frame={frame}
                  path={step}
                  attempt={attempt}
                  tab={tab}
                  isFollowed={isFollowed}
                  isWide={isWide}
                  spent={spent}
                  onSelect={select}
                  onTab={showTab}
                  onAttempt={showAttempt}
                  onFollow={setFollowed}
                  onWide={setWide}
                />
              )}
            </div>
          </div>
        </div>
      </div>
    </ViewContext>
  );
});
