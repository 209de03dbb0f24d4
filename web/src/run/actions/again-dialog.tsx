import { useNavigate } from "@tanstack/react-router";
import { useActions } from "../../data/index.ts";
import { Button, Dialog, Money, ProblemNote } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import { useAct } from "../use-act.ts";

/** A new run of the same pipeline; its page is opened once its journal has begun. */
export function AgainDialog({ frame, onClose }: { frame: Frame; onClose(): void }) {
  const { runId, state } = frame;
  const actions = useActions();
  const act = useAct();
  const navigate = useNavigate();
  const inputs = Object.keys(state.inputs);
  return (
    <Dialog title="Start again" onClose={onClose}>
      <div className="flex flex-col gap-3">
        <p>
          A new run of {state.pipeline.name}
          {inputs.length > 0 ? `, with the same inputs (${inputs.join(", ")})` : ""}, from what is committed in {state.project} now. This
          one stays as it is.
          {state.budget === undefined ? undefined : (
            <>
              {" "}
              Its budget was <Money microUsd={state.budget} />.
            </>
          )}
        </p>
        {act.problem ? <ProblemNote problem={act.problem} /> : undefined}
        <span className="flex gap-2">
          <Button
            look="primary"
            data-first
            disabled={act.isBusy}
            onClick={() =>
              act.run(async () => {
                const begun = await actions.again(runId);
                onClose();
                await navigate({ to: "/runs/$runId", params: { runId: begun.runId }, search: {} });
              })
            }
          >
            {act.isBusy ? "Starting …" : "Start again"}
          </Button>
          <Button onClick={onClose}>Back</Button>
        </span>
      </div>
    </Dialog>
  );
}
