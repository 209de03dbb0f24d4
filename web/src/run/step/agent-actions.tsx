import { useId, useState } from "react";
import { currentAttempt, isOver, type StepState } from "../../../../src/domain/index.ts";
import { can, useActions, useMe } from "../../data/index.ts";
import { Ago, Button, inputClass, ProblemNote } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import { useAct } from "../use-act.ts";

/** What can be done about a step that an agent does: say something to the agent at work, or give it to another. */
export function AgentActions({ frame, s }: { frame: Frame; s: StepState }) {
  const me = useMe().data;
  const [open, setOpen] = useState<"message" | "reassign" | undefined>();
  const attempt = currentAttempt(s);
  const isAtWork = attempt?.phase === "running";
  const said = attempt?.messages ?? [];
  if (s.step.kind !== "agent") return undefined;
  const mayAct = frame.isNow && can(me?.role, "operate") && !isOver(s) && frame.state.status === "running";
  if (!mayAct && said.length === 0) return undefined;
  return (
    <div className="flex flex-col gap-2 border-b border-line px-3 py-2">
      {said.length > 0 ? (
        <ul aria-label="Messages to the agent" className="text-xs">
          {said.map((m) => (
            <li key={m.n} className="break-words">
              <span className="text-muted">
                {m.by} said <Ago at={m.at} />
                {m.deliveredAt === undefined ? (isAtWork ? ", not yet delivered" : ", not delivered: the attempt was over") : ", delivered"}
                :{" "}
              </span>
              {m.text}
            </li>
          ))}
        </ul>
      ) : undefined}
      {mayAct && open === undefined ? (
        <div className="flex flex-wrap gap-2">
          {isAtWork ? (
            <Button small onClick={() => setOpen("message")}>
              Say something to the agent
            </Button>
          ) : undefined}
          <Button small onClick={() => setOpen("reassign")}>
            Give it to another agent
          </Button>
        </div>
      ) : undefined}
      {mayAct && open === "message" ? <Message frame={frame} step={s.step.path} onClose={() => setOpen(undefined)} /> : undefined}
      {mayAct && open === "reassign" ? <Reassign frame={frame} s={s} onClose={() => setOpen(undefined)} /> : undefined}
    </div>
  );
}

function Message({ frame, step, onClose }: { frame: Frame; step: string; onClose(): void }) {
  const id = useId();
  const [text, setText] = useState("");
  const act = useAct();
  const actions = useActions();
  return (
    <form
      className="flex flex-col items-start gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        act.run(async () => {
          await actions.message(frame.runId, { step, text: text.trim() });
          onClose();
        });
      }}
    >
      <label htmlFor={id} className="text-muted">
        What shall the agent know? It reads it with its next turn.
      </label>
      <textarea id={id} rows={2} className={inputClass} value={text} onChange={(event) => setText(event.target.value)} />
      <span className="flex gap-2">
        <Button small look="primary" type="submit" disabled={text.trim() === "" || act.isBusy}>
          {act.isBusy ? "Sending …" : "Send"}
        </Button>
        <Button small onClick={onClose}>
          Cancel
        </Button>
      </span>
      {act.problem ? <ProblemNote problem={act.problem} /> : undefined}
    </form>
  );
}

function Reassign({ frame, s, onClose }: { frame: Frame; s: StepState; onClose(): void }) {
  const id = useId();
  const [agent, setAgent] = useState("");
  const [because, setBecause] = useState("");
  const act = useAct();
  const actions = useActions();
  const attempt = currentAttempt(s);
  const others = frame.state.agents.filter((a) => a.id !== attempt?.agent);
  return (
    <form
      className="flex flex-wrap items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        act.run(async () => {
          await actions.reassign(frame.runId, {
            step: s.step.path,
            ...(agent === "" ? {} : { agent }),
            ...(because.trim() === "" ? {} : { because: because.trim() }),
          });
          onClose();
        });
      }}
    >
      <label className="flex flex-col text-xs text-muted">
        To
        <select className={inputClass} value={agent} onChange={(event) => setAgent(event.target.value)}>
          <option value="">any agent but {attempt?.agent ?? "the present one"}</option>
          {others.map((a) => (
            <option key={a.id} value={a.id}>
              {a.id} ({a.tier})
            </option>
          ))}
        </select>
      </label>
      <label htmlFor={id} className="flex flex-col text-xs text-muted">
        Why (may be left empty)
        <input id={id} className={inputClass} value={because} onChange={(event) => setBecause(event.target.value)} />
      </label>
      <Button look="primary" type="submit" disabled={act.isBusy}>
        {act.isBusy ? "Recording …" : attempt?.phase === "running" ? "End this attempt and reassign" : "Reassign"}
      </Button>
      <Button onClick={onClose}>Cancel</Button>
      {act.problem ? <ProblemNote problem={act.problem} /> : undefined}
    </form>
  );
}
