import type { AttemptState, Step } from "../../../../src/domain/index.ts";
import { Evidence, Findings } from "./attempt-card.tsx";

/** What a step is told to do, as the pipeline says it with its values filled in; and what an attempt was told beside that. */
export function PromptTab({ step, attempt, before }: { step: Step; attempt: AttemptState | undefined; before: AttemptState | undefined }) {
  return (
    <div className="flex h-full flex-col gap-3 overflow-y-auto px-3 py-2" tabIndex={0} role="region" aria-label="Prompt">
      <Told step={step} />
      {step.outputs.files.length > 0 ? <p>It must leave: {step.outputs.files.join(", ")}</p> : undefined}
      {step.gates.length > 0 ? (
        <p>It is judged by {step.gates.length === 1 ? "a gate" : `${step.gates.length} gates`}; agents are told by which.</p>
      ) : undefined}
      {before?.findings && before.findings.length > 0 && attempt ? (
        <section className="flex flex-col gap-2">
          <h3 className="font-medium">
            Attempt {attempt.n} was also told what attempt {before.n} was refused for
          </h3>
          <Findings findings={before.findings} />
        </section>
      ) : undefined}
      {step.kind === "agent" ? (
        <p className="text-xs text-muted">
          This is the pipeline's own text. Outputs, gates, findings and context are put around it before an agent gets it; agents do not
          print what they were given, so the whole is not kept.
        </p>
      ) : undefined}
    </div>
  );
}

function Told({ step }: { step: Step }) {
  switch (step.kind) {
    case "agent":
      return <Evidence text={step.prompt} />;
    case "command":
      return <Evidence text={step.command} />;
    case "approve":
      return <Evidence text={[step.title, step.detail ?? ""].join("\n").trim()} />;
    case "ask":
      return <Evidence text={step.question} />;
    case "group":
      return <Evidence text={JSON.stringify(step.body, undefined, 2)} />;
    default:
      return step satisfies never;
  }
}
