import type { AttemptState, Finding, GateResult, StepState } from "../../../../src/domain/index.ts";
import { Duration, durationText, Money, plural, StatusMark, Tag, type Status } from "../../ui/index.ts";
import type { LiveAttempt } from "../../data/index.ts";
import type { Frame } from "../frame.ts";
import type { Spent } from "../model/spent.ts";
import { endOf, whyOf } from "../model/why.ts";
import { Evidence } from "./evidence.tsx";
import { FeedbackOn } from "./feedback.tsx";

const marks: Readonly<Record<AttemptState["phase"], Status>> = {
  queued: "queued",
  running: "running",
  accepted: "merging",
  merging: "merging",
  merged: "succeeded",
  rejected: "refused",
  failed: "failed",
  interrupted: "stopped",
  refused: "refused",
};

/** One attempt: how it went, what each gate saw, why it went where it went, and what it turned out to be worth. */
export function AttemptCard({
  frame,
  s,
  attempt,
  live,
  spent,
}: {
  frame: Frame;
  s: StepState;
  attempt: AttemptState;
  live: LiveAttempt | undefined;
  /** What the ledger has of it while it runs. */
  spent: Spent | undefined;
}) {
  const isJudged = attempt.gates !== undefined;
  const isDone = attempt.phase === "accepted" && s.status === "completed";
  return (
    <article aria-label={`Attempt ${attempt.n}`} className="flex flex-col gap-2 border-b border-line px-3 py-2">
      <header className="flex flex-wrap items-center gap-2">
        <StatusMark status={isDone ? "succeeded" : marks[attempt.phase]} />
        <h3 className="font-medium">
          Attempt {attempt.n} {endOf(attempt)}
        </h3>
        <span className="text-xs text-muted">
          {attempt.startedAt === undefined ? undefined : (
            <>
              ran <Duration from={attempt.startedAt} until={attempt.endedAt ?? frame.now} />
            </>
          )}
          {attempt.queuedMs !== undefined && attempt.queuedMs > 0 ? `, waited ${durationText(attempt.queuedMs)} for a slot` : ""}
        </span>
        {attempt.usage ? (
          <span className="text-xs text-muted">
            <Money microUsd={attempt.usage.microUsd} /> {attempt.usage.provenance === "reported" ? "" : attempt.usage.provenance} ·{" "}
            {plural(attempt.usage.calls, "call")}, {attempt.usage.inputTokens.toLocaleString("en")} in,{" "}
            {attempt.usage.outputTokens.toLocaleString("en")} out
          </span>
        ) : spent && frame.isNow ? (
          <span className="text-xs text-muted" title="As far as its calls are settled; read every few seconds">
            <Money microUsd={spent.microUsd} /> so far · {plural(spent.calls, "call")}
          </span>
        ) : undefined}
      </header>
      {attempt.phase === "running" && frame.isNow ? <Live attempt={attempt} live={live} /> : undefined}
      {attempt.failure ? <p className="break-words whitespace-pre-wrap text-bad">{attempt.failure.message}</p> : undefined}
      {attempt.interrupted?.evidence ? <Evidence text={attempt.interrupted.evidence} /> : undefined}
      <Findings findings={attempt.findings ?? []} />
      {isJudged ? <Gates gates={attempt.gates ?? []} /> : undefined}
      {attempt.dropped && attempt.dropped.length > 0 ? (
        <p className="text-warn">Changes to protected paths were dropped before it was judged: {attempt.dropped.join(", ")}</p>
      ) : undefined}
      {attempt.summary ? (
        <p className="max-w-prose break-words whitespace-pre-wrap">
          <span className="text-muted">{s.step.kind === "agent" ? "Its agent says: " : "Its last line: "}</span>
          {attempt.summary}
        </p>
      ) : undefined}
      {s.step.kind === "agent" ? <WhyIt frame={frame} s={s} attempt={attempt} /> : undefined}
      {isJudged && s.step.kind === "agent" ? <FeedbackOn frame={frame} attempt={attempt} /> : undefined}
    </article>
  );
}

function Live({ attempt, live }: { attempt: AttemptState; live: LiveAttempt | undefined }) {
  const { report } = attempt;
  return (
    <p className="flex flex-wrap items-center gap-2 text-muted">
      {live?.liveness && live.liveness.state !== "running" ? (
        <Tag
          tone={live.liveness.state === "stuck" || live.liveness.state === "dead" ? "bad" : "warn"}
          title={live.liveness.evidence.join("; ")}
        >
          {live.liveness.state}
        </Tag>
      ) : undefined}
      {live?.progress ? <span className="truncate font-mono text-xs">{live.progress.text}</span> : undefined}
      {report ? (
        <span>
          It reports: {report.text}
          {report.percent === undefined ? "" : ` (${report.percent} %)`}
        </span>
      ) : undefined}
    </p>
  );
}

/** What a gate refused it for, word for word as the next attempt is told. */
function Findings({ findings }: { findings: readonly Finding[] }) {
  return findings.map((f, i) => (
    <section key={i} aria-label={`Finding of ${f.gate}`} className="rounded-md bg-bad-soft px-2 py-1.5">
      <p className="break-words">
        <strong className="text-bad">{f.gate}</strong>: {f.message}
      </p>
      {f.evidence ? <Evidence text={f.evidence} /> : undefined}
    </section>
  ));
}

const verdicts: Readonly<Record<GateResult["verdict"], Status>> = { passed: "succeeded", refused: "refused", errored: "note" };

function Gates({ gates }: { gates: readonly GateResult[] }) {
  if (gates.length === 0) return <p className="text-muted">It has no gates.</p>;
  return (
    <ul aria-label="Gates" className="flex flex-col gap-1">
      {gates.map((gate, i) => (
        <li key={i}>
          <details open={gate.verdict !== "passed" && gate.evidence !== undefined}>
            <summary className="flex flex-wrap items-center gap-2">
              <StatusMark status={verdicts[gate.verdict]} label word={gate.verdict === "errored" ? "could not be run" : gate.verdict} />
              <span className="font-medium">{gate.name}</span>
              <span className="text-xs text-muted">
                {gate.kind} · {durationText(gate.durationMs)}
                {gate.microUsd === undefined ? undefined : (
                  <>
                    {" "}
                    · <Money microUsd={gate.microUsd} />
                  </>
                )}
              </span>
            </summary>
            {gate.evidence ? (
              <Evidence text={gate.evidence} />
            ) : (
              <p className="pl-5 text-xs text-muted">It printed nothing that is kept.</p>
            )}
          </details>
        </li>
      ))}
    </ul>
  );
}

function WhyIt({ frame, s, attempt }: { frame: Frame; s: StepState; attempt: AttemptState }) {
  const why = whyOf(s, attempt, frame.facts, frame.version);
  return (
    <section aria-label="Why this agent and tier" className="rounded-md border border-line px-2 py-1.5">
      <h4 className="flex flex-wrap items-center gap-2">
        <span className="font-medium">Why {why.agent ?? "this agent"}</span> <Tag>{why.tier}</Tag>
      </h4>
      {why.reasons.length > 0 ? (
        <ul className="list-disc pl-5">
          {why.reasons.map((reason, i) => (
            <li key={i} className="break-words">
              {reason}
            </li>
          ))}
        </ul>
      ) : undefined}
      {why.facts.length > 0 ? (
        <dl className="grid grid-cols-[auto_1fr] gap-x-3 text-xs">
          {why.facts.map(({ name, text }) => (
            <div key={name + text} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="break-words">{text}</dd>
            </div>
          ))}
        </dl>
      ) : undefined}
    </section>
  );
}
