import { useState } from "react";
import { useActions } from "../../data/index.ts";
import { Button, Dialog, inputClass, ProblemNote } from "../../ui/index.ts";
import { useAct } from "../use-act.ts";

export function CancelDialog({ runId, onClose }: { runId: string; onClose(): void }) {
  const actions = useActions();
  return (
    <AskDialog
      title="Cancel the run"
      text="It ends for good. What was merged into its branch stays."
      label="Why (may be left empty; kept in the journal)"
      button="Cancel the run"
      onClose={onClose}
      send={(reason) => actions.cancel(runId, reason === "" ? undefined : reason)}
    />
  );
}

export function ResumeDialog({ runId, onClose }: { runId: string; onClose(): void }) {
  const actions = useActions();
  return (
    <AskDialog
      title="Resume the run"
      text="A process of its own drives it again."
      label="A new limit for the whole run, USD (may be left empty)"
      button="Resume"
      onClose={onClose}
      wrong={(text) => (text === "" || Number(text) > 0 ? undefined : "A number above 0, such as 2.50")}
      send={(text) => actions.resume(runId, text === "" ? {} : { budget: Number(text) })}
    />
  );
}

/** Asks for one more word before something is done. `wrong`: why what is typed cannot be sent. */
function AskDialog({
  title,
  text,
  label,
  button,
  wrong = () => undefined,
  onClose,
  send,
}: {
  title: string;
  text: string;
  label: string;
  button: string;
  wrong?(text: string): string | undefined;
  onClose(): void;
  send(text: string): Promise<unknown>;
}) {
  const [said, setSaid] = useState("");
  const act = useAct();
  const why = wrong(said.trim());
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (why === undefined) act.run(async () => send(said.trim()).then(onClose));
        }}
      >
        <p>{text}</p>
        <label className="flex flex-col gap-1 text-muted">
          {label}
          <input className={inputClass} value={said} aria-invalid={why !== undefined} onChange={(event) => setSaid(event.target.value)} />
        </label>
        {why === undefined ? undefined : <p className="text-bad">{why}</p>}
        {act.problem ? <ProblemNote problem={act.problem} /> : undefined}
        <span className="flex gap-2">
          <Button type="submit" look="primary" disabled={act.isBusy || why !== undefined}>
            {act.isBusy ? "Recording …" : button}
          </Button>
          <Button onClick={onClose}>Back</Button>
        </span>
      </form>
    </Dialog>
  );
}
