import { useEffect, useId, useRef, useState } from "react";
import { can, giveAnswer, useGivenAnswers, useMe, type GivenAnswer, type InboxEntry, type Verdict } from "../data/index.ts";
import { Button, inputClass, Kbd, ProblemNote } from "./parts.tsx";
import { plural, visibleText } from "./say.ts";
import { useShortcuts } from "./shortcuts.ts";
import { StatusMark } from "./status.tsx";

type Asked = Pick<InboxEntry, "item" | "kind" | "choices" | "who">;

/** Answers an item in place. `keys`: a, r, w and the number keys are this item's, or will be in a moment. */
export function AnswerForm({ entry, keys = false, onRecorded }: { entry: Asked; keys?: boolean | "resting"; onRecorded?: () => void }) {
  const me = useMe().data;
  const given = useGivenAnswers()[entry.item];
  const [writing, setWriting] = useState<"rework" | "reject" | undefined>();
  const mayAnswer = can(me?.role, "answer");
  const isOpen = mayAnswer && given?.kind !== "sending" && given?.kind !== "recorded";
  const isVerdict = entry.kind === "approval" || entry.kind === "permission";
  const send = (verdict: Verdict, text?: string): void => {
    setWriting(undefined);
    void giveAnswer(entry.item, verdict, text).then((isRecorded) => isRecorded && onRecorded?.());
  };
  const approve = (): void => send("approve");

  useShortcuts(
    keys === true && isOpen
      ? {
          ...(isVerdict ? { a: approve, r: () => setWriting("reject") } : {}),
          ...(entry.kind === "approval" ? { w: () => setWriting("rework") } : {}),
          ...Object.fromEntries(
            (isVerdict ? [] : entry.choices.slice(0, 9)).map((choice, i) => [String(i + 1), () => send("answer", choice)]),
          ),
        }
      : {},
  );

  if (!mayAnswer && me)
    return <p className="text-muted">You are logged in as {me.role}: answering takes an approver. Elsewhere: stepfall inbox.</p>;
  return (
    <div className="flex flex-col gap-3">
      <Outcome given={given} />
      {given?.kind === "recorded" && given.answered.stillNeeded === 0 ? undefined : isVerdict ? (
        writing === undefined ? (
          <div className="flex flex-wrap gap-2">
            <Button look="primary" disabled={!isOpen} onClick={approve}>
              Approve {keys ? <Kbd>a</Kbd> : undefined}
            </Button>
            <Button look="danger" disabled={!isOpen} onClick={() => setWriting("reject")}>
              Reject {keys ? <Kbd>r</Kbd> : undefined}
            </Button>
            {entry.kind === "approval" ? (
              <Button disabled={!isOpen} onClick={() => setWriting("rework")}>
                Ask for rework {keys ? <Kbd>w</Kbd> : undefined}
              </Button>
            ) : undefined}
          </div>
        ) : (
          <WithText
            label={writing === "rework" ? "What shall be done differently? The agent gets it word for word." : "Why? (may be left empty)"}
            button={writing === "rework" ? "Send back for rework" : "Reject"}
            isRequired={writing === "rework"}
            onCancel={() => setWriting(undefined)}
            onSend={(text) => send(writing, text === "" ? undefined : text)}
          />
        )
      ) : (
        <Choices entry={entry} isOpen={isOpen} keys={keys !== false} onAnswer={(text) => send("answer", text)} />
      )}
    </div>
  );
}

function Choices({ entry, isOpen, keys, onAnswer }: { entry: Asked; isOpen: boolean; keys: boolean; onAnswer: (text: string) => void }) {
  const isFree = entry.choices.length === 0 || entry.kind === "budget";
  return (
    <>
      <div className="flex flex-wrap gap-2" hidden={entry.choices.length === 0}>
        {entry.choices.map((choice, i) => (
          <Button key={choice} disabled={!isOpen} look={i === 0 ? "primary" : "plain"} onClick={() => onAnswer(choice)}>
            {visibleText(choice)} {keys && i < 9 ? <Kbd>{i + 1}</Kbd> : undefined}
          </Button>
        ))}
      </div>
      {isFree && isOpen ? (
        <WithText
          label={entry.kind === "budget" ? "Or raise it by another amount, in USD" : "Your answer"}
          button="Send answer"
          isRequired
          isShort={entry.kind === "budget"}
          focus={false}
          onSend={(text) => onAnswer(entry.kind === "budget" && /^[\d.]+$/.test(text) ? `raise ${text}` : text)}
        />
      ) : undefined}
    </>
  );
}

function WithText({
  label,
  button,
  isRequired,
  isShort = false,
  focus = true,
  onCancel,
  onSend,
}: {
  label: string;
  button: string;
  isRequired: boolean;
  isShort?: boolean;
  focus?: boolean;
  onCancel?: () => void;
  onSend: (text: string) => void;
}) {
  const id = useId();
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  // Once: whoever has gone on to the button must not be taken back here when the page is drawn again.
  useEffect(() => {
    if (focus) field.current?.focus();
  }, [focus]);
  const isReady = !isRequired || text.trim() !== "";
  const send = (): void => {
    if (isReady) onSend(text.trim());
  };
  return (
    <form
      className="flex flex-col items-start gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label htmlFor={id} className="text-muted">
        {label}
      </label>
      <textarea
        id={id}
        rows={isShort ? 1 : 3}
        className={`${inputClass} ${isShort ? "max-w-60" : ""}`}
        value={text}
        ref={field}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onCancel?.();
          if (event.key === "Enter" && (event.metaKey || event.ctrlKey || isShort)) {
            event.preventDefault();
            send();
          }
        }}
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" look="primary" disabled={!isReady}>
          {button}
        </Button>
        {onCancel ? <Button onClick={onCancel}>Cancel</Button> : undefined}
        {isShort ? undefined : (
          <span className="text-xs text-muted">
            <Kbd>Ctrl</Kbd> <Kbd>Enter</Kbd> sends
          </span>
        )}
      </div>
    </form>
  );
}

const said: Readonly<Record<Verdict, string>> = {
  approve: "Approved",
  reject: "Rejected",
  rework: "Sent back for rework",
  answer: "Answered",
};

function Outcome({ given }: { given: GivenAnswer | undefined }) {
  return (
    <div role="status" hidden={given === undefined}>
      {given?.kind === "sending" ? <p className="text-muted">Sending: not recorded yet …</p> : undefined}
      {given?.kind === "failed" ? <ProblemNote problem={given.problem} /> : undefined}
      {given?.kind === "recorded" ? (
        <p className="flex flex-wrap items-center gap-2">
          <StatusMark status={given.verdict === "reject" ? "refused" : "succeeded"} word="recorded" />
          <span>
            {said[given.verdict]}
            {given.text ? `: ${given.text}` : ""}. Recorded in the journal.
            {given.answered.stillNeeded > 0 ? ` ${plural(given.answered.stillNeeded, "more approval")} needed.` : ""}
            {given.answered.stillNeeded === 0 && given.answered.driven && given.verdict !== "reject" ? " The run goes on." : ""}
            {given.answered.stillNeeded === 0 && !given.answered.driven ? " No process drives the run: resume it." : ""}
          </span>
        </p>
      ) : undefined}
    </div>
  );
}
