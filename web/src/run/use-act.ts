import { useState } from "react";
import { asProblem, type Problem } from "../data/index.ts";

/** One thing a person does: under way, refused, or recorded. Nothing is shown as done before the server has recorded it. */
export function useAct(): {
  isBusy: boolean;
  problem: Problem | undefined;
  isDone: boolean;
  run(act: () => Promise<unknown>): void;
  forget(): void;
} {
  const [state, setState] = useState<{ kind: "idle" | "busy" | "done" } | { kind: "refused"; problem: Problem }>({ kind: "idle" });
  return {
    isBusy: state.kind === "busy",
    isDone: state.kind === "done",
    problem: state.kind === "refused" ? state.problem : undefined,
    run(act) {
      setState({ kind: "busy" });
      act().then(
        () => setState({ kind: "done" }),
        (error: unknown) => setState({ kind: "refused", problem: asProblem(error) }),
      );
    },
    forget: () => setState({ kind: "idle" }),
  };
}
