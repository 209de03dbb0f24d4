import { stillWaits, type StepState } from "../../../../src/domain/index.ts";
import { Ago, Duration, StatusMark } from "../../ui/index.ts";
import type { Frame } from "../frame.ts";
import { LongText } from "../long-text.tsx";

/** What of a step waits for people, with all that is to be known of it; and what was answered before. */
export function StepPeople({ frame, s }: { frame: Frame; s: StepState }) {
  const open = [...frame.state.inbox.values()].filter((i) => i.step === s.step.path && stillWaits(i));
  const over = frame.facts.waits(frame.version).filter((w) => w.step === s.step.path && w.closed);
  if (open.length + over.length === 0) return undefined;
  return (
    <section
      aria-label="Waits for people"
      tabIndex={0}
      className="flex max-h-[75%] shrink-0 flex-col gap-3 overflow-y-auto border-b border-line px-3 py-2"
    >
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
          {item.detail ? (
            <p tabIndex={0} className="max-h-24 max-w-prose overflow-y-auto break-words whitespace-pre-wrap md:max-h-40">
              <LongText text={item.detail} />
            </p>
          ) : undefined}
          <p className="text-muted">{frame.isNow ? "It is answered at the top of the page." : "It waited for an answer then."}</p>
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
