import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useRef } from "react";
import type { Frame } from "./frame.ts";
import { listOrder } from "./model/step-view.ts";
import { tabs, type Tab } from "./step/step-panel.tsx";

export interface Selection {
  step: string | undefined;
  attempt: string | undefined;
  tab: Tab;
  /** Instead of a step, the change of the whole run. */
  isResult: boolean;
  /** Goes into the address, so that a link and the way back lead here again. */
  choose(change: { step?: string; attempt?: string | undefined; tab?: Tab; isResult?: boolean }): void;
}

/** In the address, where a tab of a step would be. */
const RESULT = "result";

/** What of the run is looked at: what the address names, else the step that failed first, else the one that was worth a look when the page opened. */
export function useSelection(frame: Frame): Selection {
  const search = useSearch({ from: "/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  const first = useRef<string | undefined>(undefined);
  if (search.step === undefined && frame.views.size > 0) {
    const [worst] = listOrder(frame.views);
    if (first.current === undefined || worst?.status === "failed") first.current = worst?.path;
  }
  const choose = useCallback(
    ({ step, tab, isResult = false, ...rest }: Parameters<Selection["choose"]>[0]) => {
      void navigate({
        replace: true,
        search: (was) => {
          const { attempt: before, tab: tabBefore, ...kept } = was;
          const shown = isResult ? RESULT : (tab ?? (tabBefore === RESULT ? undefined : tabBefore));
          const attempt = "attempt" in rest ? rest.attempt : step === undefined || step === was.step ? before : undefined;
          return {
            ...kept,
            ...(step === undefined ? {} : { step }),
            ...(shown === undefined ? {} : { tab: shown }),
            ...(attempt === undefined ? {} : { attempt }),
          };
        },
      });
    },
    [navigate],
  );
  return {
    step: search.step ?? first.current,
    attempt: search.attempt,
    tab: tabs.find((t) => t === search.tab) ?? "attempts",
    isResult: search.tab === RESULT,
    choose,
  };
}
