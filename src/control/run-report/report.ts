import { fold, formatUsd, stillWaits, type Recorded, type RunState, type StepState } from "../../domain/index.ts";
import type { Bill } from "../../models/index.ts";
import type { DiffStat } from "../../workspace/index.ts";
import type { ToldSavings } from "../ledger/savings.ts";
import { attemptsSection } from "./attempts.ts";
import { costSection } from "./cost.ts";
import { code, duration, plain, section, table, time } from "./markdown.ts";
import { phasesOf } from "./phases.ts";
import { References } from "./references.ts";
import { Sources } from "./sources.ts";

export interface RunReportInput {
  /** The run's stream, from its beginning. */
  events: readonly Recorded[];
  bill: Bill;
  /** Only the steps of this phase. */
  phase?: string | undefined;
  /** What the run's branch has changed since its base. */
  diff?: DiffStat | undefined;
  /** Of all runs of the project. */
  savings?: ToldSavings | undefined;
  /** Providers whose answers came from a file. */
  scripted?: readonly string[] | undefined;
}

/**
 * A run in Markdown, from its journal and its bill and nothing else: the same input is the same text. Each figure stands beside the versions of the
 * events that it comes from. Text of people and programs is escaped; the caller masks secrets.
 */
export function runReportMarkdown(input: RunReportInput): string {
  const { events, bill, phase } = input;
  const state = fold(events);
  const refs = new References(events);
  const sources = new Sources(events);
  const steps = stepsOf(state, phase);
  const paths = new Set(steps.map((s) => s.step.path));
  const rows = bill.rows.filter((row) => phase === undefined || paths.has(sources.stepOf(row.attempt) ?? ""));
  const parts = [
    head(state, { phase, steps, refs, sources }),
    ...section("Waits for people", waiting(state, paths, { refs, sources })),
    ...section("Failed", failed(steps, { refs, sources })),
    ...section("Steps", stepsTable(state, steps, { refs, sources })),
    ...attemptsSection(steps, { refs, sources }),
    ...costSection({ ...input, rows, isPart: phase !== undefined }, { refs, sources }),
    ...section("What people and hooks said", said(events, paths, phase === undefined, refs)),
    ...(phase === undefined && input.diff ? section("Changes", changes(state, input.diff, { refs, sources })) : []),
    ...section("Events", "The figures above come from these, in the run's stream of the journal.", refs.list()),
  ];
  return `${parts.join("\n\n")}\n`;
}

export interface Told {
  refs: References;
  sources: Sources;
}

/** A group is followed by its steps. */
function stepsOf(state: RunState, phase: string | undefined): StepState[] {
  const all = phase === undefined ? [...state.steps.values()] : partOf(state, phase);
  const listed = new Set(all.map((s) => s.step.path));
  const children = Map.groupBy(all, ({ step: { parent } }) => (parent !== undefined && listed.has(parent) ? parent : undefined));
  const below = (parent: string | undefined): StepState[] => (children.get(parent) ?? []).flatMap((s) => [s, ...below(s.step.path)]);
  return below(undefined);
}

const partOf = (state: RunState, phase: string): readonly StepState[] => phasesOf(state).find((p) => p.name === phase)?.steps ?? [];

function head(state: RunState, { phase, steps, refs, sources }: Told & { phase: string | undefined; steps: readonly StepState[] }): string {
  const { pipeline, runId, project, branch, base, startedAt, endedAt, outcome, because } = state;
  const done = steps.filter((s) => s.status === "completed");
  const title =
    phase === undefined ? `${plain(pipeline.name)}: ${outcome ?? "not over"}` : `${plain(pipeline.name)}, phase ${plain(phase)}`;
  const doneRefs = refs.to(...done.map((s) => sources.endOf(s.step.path)));
  const ended =
    endedAt === undefined ? undefined : `ended ${time(endedAt)} after ${duration(endedAt - startedAt)} ${refs.to(1, sources.finished)}`;
  const lines = [
    `Run ${code(runId)} of ${code(project)}, branch ${code(branch)}, base ${code(base.slice(0, 12))}`,
    `started ${time(startedAt)} ${refs.to(1)}`,
    ended,
    phase === undefined && because !== undefined ? `${plain(because)} ${refs.to(sources.finished)}` : undefined,
    `${done.length} of ${steps.length} ${steps.length === 1 ? "step" : "steps"} completed${doneRefs && ` ${doneRefs}`}`,
    state.budget === undefined ? undefined : `budget of the run ${formatUsd(state.budget)} ${refs.to(sources.budget)}`,
  ];
  return [`# ${title}`, lines.flatMap((line) => (line === undefined ? [] : [`- ${line}`])).join("\n")].join("\n\n");
}

function waiting(state: RunState, paths: ReadonlySet<string>, { refs, sources }: Told): string | undefined {
  const items = [...state.inbox.values()].filter((item) => stillWaits(item) && paths.has(item.step));
  if (state.status === "finished" || items.length === 0) return undefined;
  return items
    .map(
      (i) =>
        `- ${i.kind} at ${code(i.step)}: ${plain(i.title)} (${code(i.item)}), since ${time(i.openedAt)} ${refs.to(sources.itemOpened(i.item))}`,
    )
    .join("\n");
}

function failed(steps: readonly StepState[], { refs, sources }: Told): string | undefined {
  // A group says only which of its steps failed.
  const all = steps.filter((s) => s.status === "failed" && s.step.kind !== "group");
  if (all.length === 0) return undefined;
  return all
    .map((s) => {
      const may = s.step.mayFail ? " (it may)" : "";
      return `- ${code(s.step.path)}${may}: ${plain(s.because ?? "no reason is known", 600)} ${refs.to(sources.endOf(s.step.path))}`;
    })
    .join("\n");
}

function stepsTable(state: RunState, steps: readonly StepState[], { refs, sources }: Told): string | undefined {
  if (steps.length === 0) return undefined;
  const rows = steps.map((s) => {
    const last = s.attempts.at(-1);
    const tries = s.attempts.length === 0 ? "" : `${s.attempts.length} ${refs.to(...s.attempts.map((a) => sources.routed(a.id)))}`;
    const why = s.status === "skipped" && s.because ? `: ${plain(s.because, 120)}` : "";
    return [
      code(s.step.path),
      s.step.kind,
      `${s.status}${why} ${refs.to(sources.endOf(s.step.path))}`.trim(),
      tries,
      last?.agent === undefined ? "" : `${code(last.agent)} (${plain(last.tier)}) ${refs.to(sources.started(last.id))}`,
      s.declared.phase ?? "",
    ];
  });
  const hasPhases = steps.some((s) => s.declared.phase !== undefined);
  const titles = ["step", "kind", "outcome", "attempts", "agent", "phase"];
  const cut = hasPhases ? 6 : 5;
  const merged = [...state.steps.values()].flatMap((s) =>
    s.attempts.flatMap((a) => (a.phase === "merged" && steps.includes(s) ? [a.id] : [])),
  );
  const merges =
    merged.length === 0 ? "" : `\n\n${merged.length} merged into the run's branch ${refs.to(...merged.map((id) => sources.merged(id)))}`;
  return (
    table(
      titles.slice(0, cut),
      rows.map((row) => row.slice(0, cut)),
    ) + merges
  );
}

function said(events: readonly Recorded[], paths: ReadonlySet<string>, isAll: boolean, refs: References): string | undefined {
  const lines = events.flatMap(({ event, version }) => {
    const at = refs;
    switch (event.type) {
      case "InboxAnswered": {
        const { item, by, verdict, text } = event.data;
        if (!isAll && !paths.has(item.slice(item.indexOf("/") + 1, item.lastIndexOf("!")))) return [];
        return [`- ${code(by)} on ${code(item)}: ${verdict}${text ? `, ${plain(text)}` : ""} ${at.to(version)}`];
      }
      case "FeedbackGiven": {
        const { step, by, verdict, because } = event.data;
        if (!paths.has(step)) return [];
        return [`- ${code(by)} on ${code(step)}: the result is ${verdict}${because ? `, ${plain(because)}` : ""} ${at.to(version)}`];
      }
      case "StepReassigned": {
        const { step, by, agent, because } = event.data;
        if (!paths.has(step)) return [];
        return [
          `- ${code(by)} gave ${code(step)} to ${agent === undefined ? "another agent" : code(agent)}${because ? `: ${plain(because)}` : ""} ${at.to(version)}`,
        ];
      }
      case "HookAnswered": {
        const { hook, before, step, verdict, because } = event.data;
        if (!isAll && !paths.has(step ?? "")) return [];
        return [
          `- the hook ${code(hook)} before the ${before}${step === undefined ? "" : ` of ${code(step)}`}: ${verdict}, ${plain(because)} ${at.to(version)}`,
        ];
      }
      case "BudgetRaised":
        return isAll ? [`- ${code(event.data.by ?? "somebody")} raised a budget to ${formatUsd(event.data.limit)} ${at.to(version)}`] : [];
      case "CancelRequested":
        return isAll ? [`- the run was cancelled${event.data.reason ? `: ${plain(event.data.reason)}` : ""} ${at.to(version)}`] : [];
      default:
        return [];
    }
  });
  return lines.length === 0 ? undefined : lines.join("\n");
}

function changes(state: RunState, { files }: DiffStat, { refs, sources }: Told): string {
  const merges = refs.to(...[...state.steps.values()].flatMap((s) => s.attempts.map((a) => sources.merged(a.id))));
  const since = `Of the run's branch since its base, as git counts it; made by the merges ${merges || "(none)"}.`;
  const rows = files.map((f) => [code(f.path), f.binary ? "binary" : `+${f.added}`, f.binary ? "" : `-${f.removed}`]);
  const into = state.mergedInto
    ? `\n\nTaken into ${code(state.mergedInto.into)} as ${code(state.mergedInto.commit.slice(0, 12))} ${refs.to(sources.runMerged)}`
    : "";
  return (rows.length === 0 ? "No file was changed." : `${since}\n\n${table(["file", "added", "removed"], rows)}`) + into;
}
