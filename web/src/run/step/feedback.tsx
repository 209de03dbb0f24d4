import { useId, useState } from "react";
import type { AttemptState } from "../../../../src/domain/index.ts";
import { can, useActions, useMe } from "../../data/index.ts";
import { Button, inputClass, ProblemNote, Tag } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import { useAct } from "../use-act.ts";

/** What people said later of an attempt's result, and how to say it: gates and routing learn from it. */
export function FeedbackOn({ frame, attempt }: { frame: Frame; attempt: AttemptState }) {
  const me = useMe().data;
  const said = frame.facts.feedback(frame.version).filter((f) => f.attempt === attempt.id);
  const [verdict, setVerdict] = useState<"right" | "wrong" | undefined>();
  const [because, setBecause] = useState("");
  const id = useId();
  const act = useAct();
  const actions = useActions();
  const mayTell = frame.isNow && can(me?.role, "operate");
  return (
    <div className="flex flex-wrap items-center gap-2 text-xs">
      {said.map((f) => (
        <Tag key={f.version} tone={f.verdict === "right" ? "good" : "bad"}>
          {f.by}: the result was {f.verdict}
          {f.because ? ` (${f.because})` : ""}
        </Tag>
      ))}
      {mayTell && verdict === undefined ? (
        <>
          <span className="text-muted">Was the result right, whatever the gates said?</span>
          <Button small onClick={() => setVerdict("right")}>
            right
          </Button>
          <Button small onClick={() => setVerdict("wrong")}>
            wrong
          </Button>
        </>
      ) : undefined}
      {mayTell && verdict !== undefined ? (
        <form
          className="flex flex-wrap items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            act.run(async () => {
              await actions.feedback(frame.runId, {
                step: attempt.step,
                attempt: attempt.n,
                verdict,
                ...(because.trim() === "" ? {} : { because: because.trim() }),
              });
              setVerdict(undefined);
              setBecause("");
            });
          }}
        >
          <label htmlFor={id}>It was {verdict}, because (may be left empty)</label>
          <input id={id} className={`${inputClass} !w-64 !py-0.5`} value={because} onChange={(event) => setBecause(event.target.value)} />
          <Button small look="primary" type="submit" disabled={act.isBusy}>
            {act.isBusy ? "Recording …" : "Record"}
          </Button>
          <Button small onClick={() => setVerdict(undefined)}>
            Cancel
          </Button>
        </form>
      ) : undefined}
      {act.problem ? <ProblemNote problem={act.problem} /> : undefined}
    </div>
  );
}
