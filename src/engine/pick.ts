import { currentAttempt, type AttemptState, type BestOf, type Decision, type RunEvent, type RunState } from "../domain/index.ts";
import { pickBest, type BestOfCandidate, type BestOfOutcome } from "../quality/index.ts";
import type { Workspaces } from "../workspace/index.ts";
import { withJudges } from "./ask-judges.ts";
import { exhaustedEvent } from "./budgets.ts";
import type { EngineDeps } from "./contract.ts";
import { workBetween } from "./judge-gate.ts";
import { chooseJudges, tiersOf } from "./judges.ts";
import type { RunLog } from "./run-log.ts";

type Pick = Extract<Decision, { kind: "pick" }>;

/** A candidate with what tells it from the others. */
interface Candidate {
  attempt: AttemptState;
  work: BestOfCandidate;
  lines: number;
  microUsd: number;
}

interface PickDeskOptions {
  deps: EngineDeps;
  workspaces: Workspaces;
  log: () => RunLog;
  signal: AbortSignal;
  onFailure: (error: unknown) => void;
}

/** All judges together. */
const LONGEST_MS = 15 * 60_000;

/** Picks between candidates that were accepted, one group's at a time or several groups' at once; the event makes it final. */
export class PickDesk {
  readonly #options: PickDeskOptions;
  readonly #underWay = new Set<string>();

  constructor(options: PickDeskOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0;
  }

  /** One that is under way is not begun again. */
  add(decision: Pick): void {
    if (this.#underWay.has(decision.step)) return;
    this.#underWay.add(decision.step);
    void this.#pick(decision);
  }

  async #pick(decision: Pick): Promise<void> {
    const { deps, workspaces, log, signal, onFailure } = this.#options;
    try {
      const events = await picked(deps, workspaces, log().state, decision, signal);
      if (events.length > 0 && !signal.aborted) await log().submit({ events, cause: decision.attempt });
    } catch (error) {
      if (!signal.aborted) onFailure(error);
    } finally {
      this.#underWay.delete(decision.step);
      if (!signal.aborted) log().poke();
    }
  }
}

/** No event: it was stopped, and is decided again by whoever drives the run next. */
async function picked(
  deps: EngineDeps,
  workspaces: Workspaces,
  state: RunState,
  { step: path, attempt, candidates: ids }: Pick,
  signal: AbortSignal,
): Promise<RunEvent[]> {
  const group = state.steps.get(path);
  if (!group?.group || group.step.kind !== "group" || group.step.body.kind !== "best-of") return [];
  const { body } = group.step;
  const attempts = group.group.children.flatMap((child) => {
    const s = state.steps.get(child);
    const a = s && currentAttempt(s);
    return a && ids.includes(a.id) ? [a] : [];
  });
  const candidates = await Promise.all(attempts.map((a) => candidateOf(workspaces, a)));
  // The cheapest first: that is who stays where judges see no difference.
  candidates.sort((a, b) => a.microUsd - b.microUsd);
  const [first, ...others] = candidates;
  if (!first) return [];
  const event = (winner: Candidate, because: string, more: Partial<Event> = {}): RunEvent => ({
    type: "CandidatePicked",
    data: { step: path, attempt: winner.attempt.id, because, ...more },
  });
  const smallest = candidates.toSorted((a, b) => a.lines - b.lines)[0] ?? first;
  const size = `it changes least (${smallest.lines} ${smallest.lines === 1 ? "line" : "lines"})`;
  if (!body.judging) return [event(smallest, `nobody is named to judge, and of the ${candidates.length} that were accepted ${size}`)];

  const chosen = chooseJudges(deps.registry, tiersOf(deps), body.judging, new Set(attempts.flatMap((a) => a.agent ?? [])));
  if (!chosen.ok) return [event(smallest, `nobody could judge (${chosen.problem}), and of those that were accepted ${size}`)];
  const spender = { attempt, step: { path }, state };
  const deadline = AbortSignal.timeout(LONGEST_MS);
  const judging = withJudges(deps, spender, chosen, async (asking) => {
    const request = {
      ...asking,
      prompt: promptOf(body, group.group?.children, state),
      ...(body.judging?.rubric === undefined ? {} : { rubric: body.judging.rubric }),
      candidates: [first.work, ...others.map(({ work }) => work)] as const,
      maxPairs: Math.max(6, candidates.length - 1),
      signal: AbortSignal.any([signal, deadline]),
    };
    const outcome = await pickBest(request);
    return outcome.kind === "errored" && outcome.because === "no-answer" ? pickBest(request) : outcome;
  });
  // All of them passed their gates: where nobody can say which is best, the work is not thrown away for it.
  const anyway = (why: string, more: Partial<Event>): RunEvent[] => [
    event(smallest, deps.mask(`the judges could not be asked (${why.slice(0, 500)}), and of those that were accepted ${size}`), more),
  ];
  const asked = await judging.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  if (signal.aborted) return [];
  if (typeof asked === "string") return anyway(asked, {});
  const { value, microUsd, exhausted } = asked;
  const evidence = deps.mask(evidenceOf(value)).slice(0, 8192);
  const told = { ...(evidence === "" ? {} : { evidence }), microUsd };
  if (value.kind === "picked") {
    const winner = candidates.find((c) => c.work.id === value.picked) ?? first;
    const because = value.decided
      ? `judges hold it for the best of ${candidates.length}`
      : `judges saw no difference between the best of ${candidates.length}, and it cost least`;
    return [event(winner, because, { ...told, scores: scoresOf(value) })];
  }
  if (value.kind === "errored" && value.because === "budget" && exhausted) return [exhaustedEvent(exhausted, path)];
  return anyway(value.kind === "errored" ? value.message : "they did not answer in time", told);
}

type Event = Extract<RunEvent, { type: "CandidatePicked" }>["data"];

/** All of them passed their gates. What changed no file is known by its output, or by what its agent said. */
async function candidateOf(workspaces: Workspaces, attempt: AttemptState): Promise<Candidate> {
  const { id, commit: to, from, output, summary, usage, gates = [] } = attempt;
  const microUsd = (usage?.microUsd ?? 0) + gates.reduce((sum, gate) => sum + (gate.microUsd ?? 0), 0);
  if (to === undefined || from === undefined) {
    const text = output === undefined ? (summary ?? "") : JSON.stringify(output, null, 2);
    return { attempt, lines: 0, microUsd, work: { id, diff: "", files: [{ path: output === undefined ? "answer" : "output", text }] } };
  }
  const { files } = await workspaces.diffStat(from, to);
  const lines = files.reduce((sum, { added, removed }) => sum + added + removed, 0);
  return { attempt, lines, microUsd, work: { id, ...(await workBetween(workspaces, { from, to, changes: files })) } };
}

/** As a candidate was told it, with its values filled in. */
function promptOf({ step }: BestOf, children: readonly string[] = [], state: RunState): string {
  const child = state.steps.get(children[0] ?? "")?.step;
  return child?.kind === "agent" ? child.prompt : step.prompt;
}

const evidenceOf = ({ reasons }: BestOfOutcome): string =>
  reasons.map(({ first, second, better, by, said }) => `${first} and ${second}: ${better ?? "undecided"} (${by}): ${said}`).join("\n");

function scoresOf({ reasons }: BestOfOutcome): Record<string, number> {
  const scores: Record<string, number> = {};
  for (const { first, second, better } of reasons)
    for (const id of [first, second]) scores[id] = (scores[id] ?? 0) + (better === undefined ? 0.5 : better === id ? 1 : 0);
  return scores;
}
