import { stillWaits, type StepState } from "../../../../src/domain/index.ts";
import { Ago, AnswerForm, Duration, StatusMark } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";

/** What of a step waits for people, to be answered here; and what was answered before. */
export function StepPeople({ frame, s }: { frame: Frame; s: StepState }) {
  const open = [...frame.state.inbox.values()].filter((i) => i.step === s.step.path && stillWaits(i));
  const over = frame.facts.waits(frame.version).filter((w) => w.step === s.step.path && w.closed);
  if (open.length + over.length === 0) return undefined;
  return (
    <section aria-label="Waits for people" className="flex flex-col gap-3 border-b border-line px-3 py-2">
      {open.map((item) => (
        <div key={item.item} className="flex flex-col gap-2 rounded-md bg-wait-soft px-3 py-2">
          <p className="flex flex-wrap items-center gap-2 font-medium">
            <StatusMark status="person" /> {item.title}
            <span className="text-xs font-normal text-muted">
              asked <Ago at={item.openedAt} />
              {item.count > 1 ? `, ${item.answers.length} of ${item.count} have agreed` : ""}
              {item.who.length > 0 ? `, for ${item.who.join(", ")}` : ""}
            </span>
          </p>
          {item.detail ? <p className="max-w-prose break-words whitespace-pre-wrap">{item.detail}</p> : undefined}
          {frame.isNow ? <AnswerForm entry={item} keys={open.length === 1} /> : <p className="text-muted">It waited for an answer then.</p>}
        </div>
      ))}
      {over.map((w) => (
        <p key={w.item} className="text-xs">
          <span className="font-medium">{w.title}</span>{" "}
          <span className="text-muted">
            waited <Duration from={w.at} until={w.closed?.at} />
            {w.said.length === 0 ? "; nobody answered" : ""}
          </span>
          {w.said.map((said) => (
            <span key={said.version}>
              {" "}
              · {said.by}: {said.verdict}
              {said.text ? ` “${said.text}”` : ""}
            </span>
          ))}
        </p>
      ))}
    </section>
  );
}
