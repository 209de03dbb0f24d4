import { memo, useEffect, useMemo, useRef } from "react";
import { VList, type VListHandle } from "virtua";
import { listOrder, type StepView } from "./model/step-view.ts";
import { fanText, StepBadges, StepMark } from "./step-marks.tsx";

/** Every step, what failed first, then what waits for people. */
export const StepList = memo(function StepList({
  views,
  selected,
  onSelect,
}: {
  views: ReadonlyMap<string, StepView>;
  selected: string | undefined;
  onSelect(path: string): void;
}) {
  const order = useMemo(() => listOrder(views), [views]);
  const list = useRef<VListHandle>(null);
  const shown = useRef(selected);
  useEffect(() => {
    if (shown.current === selected) return;
    shown.current = selected;
    const at = order.findIndex((v) => v.path === selected);
    if (at >= 0) list.current?.scrollToIndex(at, { align: "nearest" });
  }, [order, selected]);
  return (
    <VList ref={list} data={order} itemSize={46} className="h-full" role="list" aria-label="Steps, failed ones first" tabIndex={-1}>
      {(view) => <Row key={view.path} view={view} isSelected={view.path === selected} onSelect={onSelect} />}
    </VList>
  );
});

const Row = memo(function Row({ view, isSelected, onSelect }: { view: StepView; isSelected: boolean; onSelect(path: string): void }) {
  return (
    <div role="listitem">
      <button
        type="button"
        aria-current={isSelected}
        onClick={() => onSelect(view.path)}
        className={`flex h-[46px] w-full flex-col justify-center gap-0.5 border-l-2 px-2 text-left ${isSelected ? "border-accent bg-accent-soft" : "border-transparent hover:bg-raised"}`}
      >
        <span className="flex w-full items-center gap-1.5">
          <StepMark status={view.status} />
          <span className="truncate" title={view.path}>
            {view.path}
          </span>
        </span>
        <span className="flex w-full items-center gap-1 overflow-hidden pl-5 text-xs text-muted">
          {view.fan ? <span className="truncate">{fanText(view.fan)}</span> : <StepBadges view={view} />}
          {view.kind === "agent" || view.fan ? undefined : <span className="truncate">{view.kind}</span>}
        </span>
      </button>
    </div>
  );
});
