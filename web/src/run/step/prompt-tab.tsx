import { useEffect, useMemo, useRef } from "react";
import { VList, type VListHandle } from "virtua";
import type { AttemptState, Step } from "../../../../src/domain/index.ts";
import { usePrompt } from "../../data/index.ts";
import { Loading, ProblemNote } from "../../ui/index.ts";
import { FindBar, useSearch } from "../find-bar.tsx";
import { LongText } from "../long-text.tsx";
import { visible } from "../model/visible.ts";
import { Evidence } from "./evidence.tsx";

/** What the agent of an attempt was told, all of it; of a step that has no such attempt, what the pipeline says. */
export function PromptTab({ runId, step, attempt }: { runId: string; step: Step; attempt: AttemptState | undefined }) {
  if (step.kind === "agent" && attempt?.startedAt !== undefined) return <Whole runId={runId} step={step} attempt={attempt} />;
  return (
    <div className="flex h-full flex-col gap-3 overflow-y-auto px-3 py-2" tabIndex={0} role="region" aria-label="Prompt">
      <Declared step={step} />
      {step.outputs.files.length > 0 ? <p>It must leave: {step.outputs.files.join(", ")}</p> : undefined}
      {step.kind === "agent" ? (
        <p className="text-xs text-muted">
          This is what the pipeline says. No agent has begun with it: what is told beside it (outputs, gates, findings, context) is here
          when one has.
        </p>
      ) : undefined}
    </div>
  );
}

function Whole({ runId, step, attempt }: { runId: string; step: Step; attempt: AttemptState }) {
  const prompt = usePrompt(runId, attempt.id);
  if (prompt.error)
    return (
      <div className="flex h-full flex-col gap-3 overflow-y-auto px-3 py-2" tabIndex={0} role="region" aria-label="Prompt">
        <ProblemNote problem={prompt.error} retry={() => void prompt.refetch()} />
        <p className="text-muted">What the pipeline says:</p>
        <Declared step={step} />
      </div>
    );
  if (!prompt.data) return <Loading what="Reading the prompt" />;
  const { text, isTruncated, source } = prompt.data;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <Lines
        text={text}
        told={
          source === "transcript"
            ? `What the agent of attempt ${attempt.n} was told, word for word; secrets are masked.`
            : `Attempt ${attempt.n}: its transcript does not have it, so this is put together again from the journal; secrets are masked.`
        }
      />
      {isTruncated ? (
        <p className="border-t border-line bg-warn-soft px-3 py-1 text-xs text-warn">
          It is longer than this page shows: its end is left out.
        </p>
      ) : undefined}
    </div>
  );
}

const asIs = (line: string): string => line;

function Lines({ text, told }: { text: string; told: string }) {
  const lines = useMemo(() => visible(text).split("\n"), [text]);
  const search = useSearch(lines, lines.length, asIs);
  const list = useRef<VListHandle>(null);
  const { here } = search;
  useEffect(() => {
    if (here !== undefined) list.current?.scrollToIndex(here, { align: "center" });
  }, [here]);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-2 py-1 text-xs">
        <FindBar search={search} name="Search the prompt" />
        <span className="ml-auto text-muted">{told}</span>
      </div>
      <VList
        ref={list}
        data={lines}
        itemSize={18}
        className="min-h-0 flex-1 font-mono text-xs leading-[18px]"
        role="region"
        aria-label="Prompt"
        tabIndex={0}
      >
        {(line, i) => (
          <div key={i} className={`min-h-[18px] px-3 break-words whitespace-pre-wrap ${i === here ? "bg-warn-soft" : ""}`}>
            <LongText text={line} />
          </div>
        )}
      </VList>
    </>
  );
}

function Declared({ step }: { step: Step }) {
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
