import { useStore, type Node, type NodeProps, type ReactFlowState } from "@xyflow/react";
import { memo } from "react";
import { NODE_HEIGHT, NODE_WIDTH } from "../model/place.ts";
import { fanName, fanText, FanBar, StepBadges, StepMark } from "../step-marks.tsx";
import type { ShownStatus } from "../model/status.ts";
import { useStepView } from "../view-store.ts";

export interface StepNodeData extends Record<string, unknown> {
  path: string;
  isSelected: boolean;
  isUnfolded: boolean;
  onFold(path: string): void;
}
export type StepFlowNode = Node<StepNodeData, "step">;

const edges: Partial<Record<ShownStatus, string>> = {
  failed: "border-bad",
  people: "border-wait",
  paused: "border-warn",
  quota: "border-warn",
  running: "border-busy",
  merging: "border-busy",
  completed: "border-good",
};

/** From far away it is the colour that is seen first. */
const fills: Partial<Record<ShownStatus, string>> = {
  failed: "bg-bad-soft",
  people: "bg-wait-soft",
  paused: "bg-warn-soft",
  quota: "bg-warn-soft",
  running: "bg-busy-soft",
  merging: "bg-busy-soft",
  completed: "bg-good-soft",
};

/** Seen from so far away that no name can be read, a node is its mark alone: a thousand texts that nobody reads cost most of a frame. */
const FAR_ZOOM = 0.34;
const isFarAway = (s: ReactFlowState): boolean => s.transform[2] < FAR_ZOOM;

const quiet: ReadonlySet<ShownStatus> = new Set(["waiting", "skipped", "unneeded", "cancelled"]);

/** A step, or a group that stands for many. It asks for its own view, so the graph is not drawn again for it. */
export const StepNode = memo(function StepNode({ data }: NodeProps<StepFlowNode>) {
  const view = useStepView(data.path);
  const isFar = useStore(isFarAway);
  if (!view) return undefined;
  const look = `${edges[view.status] ?? "border-line"} ${quiet.has(view.status) ? "border-dashed" : ""} ${data.isSelected ? "ring-2 ring-accent" : ""}`;
  if (isFar)
    return (
      <div
        style={{ width: NODE_WIDTH, height: NODE_HEIGHT }}
        className={`flex items-center justify-center rounded-md border-4 contain-strict ${fills[view.status] ?? "bg-surface"} ${look}`}
        title={view.path}
      >
        <StepMark status={view.status} size={52} />
      </div>
    );
  return (
    <div
      style={{ width: NODE_WIDTH, height: NODE_HEIGHT }}
      className={`flex flex-col justify-center gap-1 overflow-hidden rounded-md border-2 bg-surface px-2 text-left contain-strict ${look}`}
    >
      <span className="flex items-center gap-1.5">
        <StepMark status={view.status} />
        <span className="min-w-0 flex-1 truncate font-medium" title={view.path}>
          {view.label}
        </span>
        {view.fan && view.fan.total > 0 ? (
          <button
            type="button"
            className="nodrag rounded border border-line px-1 text-xs text-muted hover:bg-raised hover:text-ink"
            aria-expanded={data.isUnfolded}
            onClick={(event) => {
              event.stopPropagation();
              data.onFold(data.path);
            }}
          >
            {data.isUnfolded ? "−" : "+"}
            {view.fan.total}
            <span className="sr-only">
              {" "}
              {data.isUnfolded ? "Fold" : "Unfold"} {view.path}
            </span>
          </button>
        ) : undefined}
      </span>
      {view.fan ? (
        <>
          <FanBar fan={view.fan} />
          <span className="truncate text-xs text-muted" title={`${view.fan.total} ${fanName[view.fan.how]}: ${fanText(view.fan)}`}>
            {fanText(view.fan)}
          </span>
        </>
      ) : (
        <span className="flex h-5 items-center gap-1 text-xs text-muted">
          <StepBadges view={view} />
          {view.kind === "agent" && view.tier !== undefined ? undefined : <span className="truncate">{view.kind}</span>}
        </span>
      )}
    </div>
  );
});
