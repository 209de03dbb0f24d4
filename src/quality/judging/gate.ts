import type { Finding } from "../../domain/index.ts";
import { Consultation, defaultAgreement, defaultMaxChars, type Heard } from "./consult.ts";
import type { Criterion, Judge, JudgeGateOutcome, JudgeGateRequest, JudgeWord } from "./contract.ts";
import { JudgeError } from "./errors.ts";
import { scoringSystem, scoringUser } from "./prompts.ts";
import { scoresReader } from "./read-answer.ts";
import { passAtOf, settleCriterion, settleRubric, standOf, type CriterionStand, type Scores, type Stand } from "./scores.ts";
import { shortened, showCandidate, withNote } from "./untrusted.ts";
import { weighByRecord } from "./weighing.ts";

/** One judge, heard in both orders of the criteria. */
interface Opinion {
  judge: Judge;
  isStronger: boolean;
  asWritten: Heard<Scores>;
  reversed: Heard<Scores>;
  stands: ReadonlyMap<string, CriterionStand>;
}

/** A criterion after everybody was heard. */
interface Settled {
  criterion: Criterion;
  stand: Stand;
  /** Why it is undecided. */
  note?: string;
}

/**
 * Has judges score the candidate against the rubric, each with the criteria in both orders. Each criterion is settled by weighted majority; when
 * the rubric is then neither met nor refused, the stronger judge is asked and its word counts. What is still open refuses.
 *
 * The caller sees to it that rubric and judges are the base commit's, not the attempt's. Throws a JudgeError (`JUDGE_REQUEST`) only for a
 * request that makes no sense.
 */
export async function runJudgeGate(request: JudgeGateRequest): Promise<JudgeGateOutcome> {
  const { rubric, judges, stronger, fence, agreement = defaultAgreement } = request;
  const criteria = rubric.criteria;
  const double = criteria.find((c, at) => criteria.findIndex((other) => other.id === c.id) !== at);
  if (double)
    throw new JudgeError("JUDGE_REQUEST", `criterion ${double.id} is in the rubric twice`, "Give every criterion an id of its own.");
  const consultation = new Consultation(request);
  const shown = showCandidate(request.candidate, fence, request.maxChars ?? defaultMaxChars);
  const work = withNote(shown);

  const opinionOf = async (judge: Judge, isStronger: boolean): Promise<Opinion> => {
    const hear = (ordered: readonly Criterion[]): Promise<Heard<Scores>> =>
      consultation.hear(
        judge,
        { system: scoringSystem(fence), user: scoringUser(ordered, rubric, work) },
        scoresReader(criteria.map((c) => c.id)),
      );
    const [asWritten, reversed] = await Promise.all([hear(criteria), hear(criteria.toReversed())]);
    const readings = { asWritten: valueOf(asWritten), reversed: valueOf(reversed) };
    return { judge, isStronger, asWritten, reversed, stands: new Map(criteria.map((c) => [c.id, standOf(readings, c, rubric)])) };
  };

  const opinions = await Promise.all(judges.map((judge) => opinionOf(judge, false)));
  const weighing = weighByRecord(judges);
  const byPanel = criteria.map((criterion): Settled => {
    const stands = new Map(opinions.map(({ judge, stands }) => [judge.id, stands.get(criterion.id)?.stand ?? "undecided"]));
    const stand = settleCriterion(stands, weighing, agreement);
    return { criterion, stand, ...(stand === "undecided" ? { note: whyOpen(opinions, criterion) } : {}) };
  });
  let settled = byPanel;
  if (stronger && settleRubric(byPanel.map((s) => s.stand)) === "undecided") {
    const word = await opinionOf(stronger, true);
    opinions.push(word);
    settled = byPanel.map((before) => withStronger(before, word.stands.get(before.criterion.id)));
  }

  const evidence = evidenceOf(opinions, shown.cuts);
  const cost = { ...consultation.cost, words: opinions.map(wordOf) };
  if (consultation.isAborted) return { verdict: "aborted", findings: [], evidence, ...cost };
  if (consultation.budget !== undefined)
    return { verdict: "errored", because: "budget", message: consultation.budget, findings: [], evidence, ...cost };
  const isOpen = settleRubric(settled.map((s) => s.stand)) === "undecided";
  // A provider that is down is nothing the next attempt could mend.
  if (consultation.isUnheard || (isOpen && opinions.some(hasFailed)))
    return { verdict: "errored", because: "no-answer", message: unheard(opinions), findings: [], evidence, ...cost };
  const findings = settled.flatMap((one) => findingOf(one, opinions, request));
  const [first, ...rest] = findings;
  if (!first) return { verdict: "passed", findings: [], evidence, ...cost };
  return { verdict: "refused", findings: [first, ...rest], evidence, ...cost };
}

const wordOf = ({ judge, isStronger, stands }: Opinion): JudgeWord => ({
  judge: judge.id,
  isStronger,
  stand: settleRubric([...stands.values()].map(({ stand }) => stand)),
});

const hasFailed = ({ asWritten, reversed }: Opinion): boolean => asWritten.kind === "failed" || reversed.kind === "failed";

const valueOf = <T>(heard: Heard<T>): T | undefined => (heard.kind === "answer" ? heard.value : undefined);

/** Its word counts, for criteria that were settled before, too; where it has none, what the others settled stands. */
function withStronger(before: Settled, word: CriterionStand | undefined): Settled {
  if (word && word.stand !== "undecided") return { criterion: before.criterion, stand: word.stand };
  if (before.stand !== "undecided") return before;
  return { ...before, note: `${before.note ?? ""}; the stronger judge did not settle it: ${word?.because ?? "it was not heard"}` };
}

function whyOpen(opinions: readonly Opinion[], { id }: Criterion): string {
  const says = opinions.map(({ judge, stands }) => {
    const stand = stands.get(id);
    return `${judge.id}: ${stand?.stand === "undecided" ? (stand.because ?? "undecided") : `${stand?.stand} with ${format(stand?.score)}`}`;
  });
  return says.join("; ");
}

/** A criterion that is not met refuses; one that nobody settled refuses, too, and says that it is this. */
function findingOf({ criterion, stand, note }: Settled, opinions: readonly Opinion[], { name, rubric }: JudgeGateRequest): Finding[] {
  const needed = passAtOf(criterion, rubric);
  switch (stand) {
    case "accept":
      return [];
    case "refuse": {
      const against = opinions.filter(({ stands }) => stands.get(criterion.id)?.stand === "refuse");
      const scores = against.flatMap(({ stands }) => stands.get(criterion.id)?.score ?? []);
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      const message = `${criterion.id}: ${format(mean)} of 10, ${needed} needed (${criterion.text})`;
      return [{ gate: name, message, evidence: reasonsOf(against, criterion) }];
    }
    case "undecided": {
      const message = `${criterion.id}: not settled, and what is not settled is refused (${criterion.text})`;
      return [{ gate: name, message, evidence: [note ?? "", reasonsOf(opinions, criterion)].filter((line) => line !== "").join("\n") }];
    }
    default:
      return stand satisfies never;
  }
}

const reasonsOf = (opinions: readonly Opinion[], { id }: Criterion): string =>
  opinions
    .flatMap(({ judge, asWritten, reversed }) => {
      const reasons = [valueOf(asWritten), valueOf(reversed)].flatMap((scores) => scores?.get(id)?.reason || []);
      return [...new Set(reasons.map((reason) => `${judge.id}: ${shortened(reason, 400)}`))];
    })
    .join("\n");

const EVIDENCE = 6_000;

/** Every judge's scores in both orders, and why; one line for each judge and criterion. */
function evidenceOf(opinions: readonly Opinion[], cuts: readonly string[]): string {
  const lines = opinions.flatMap(({ judge, isStronger, asWritten, reversed, stands }) => {
    const who = isStronger ? `${judge.id} (stronger)` : judge.id;
    const problems = [asWritten, reversed].flatMap((heard) => (heard.kind === "answer" ? [] : [`${who}: ${heard.problem}`]));
    const scored = [...stands].flatMap(([id, { stand }]) => {
      const both = [valueOf(asWritten)?.get(id), valueOf(reversed)?.get(id)];
      if (both.every((one) => one === undefined)) return [];
      const why = both.find((one) => one?.reason)?.reason ?? "";
      return [
        `${who}: ${id} ${both.map((one) => format(one?.score)).join(" and ")}, ${stand}${why === "" ? "" : `: ${shortened(why, 200)}`}`,
      ];
    });
    return [...new Set(problems), ...scored];
  });
  const whole = [...(cuts.length > 0 ? [`judged without: ${cuts.join("; ")}`] : []), ...lines].join("\n");
  return whole.length <= EVIDENCE ? whole : `${whole.slice(0, EVIDENCE)}…`;
}

const unheard = (opinions: readonly Opinion[]): string =>
  [
    ...new Set(
      opinions.flatMap(({ judge, asWritten, reversed }) =>
        [asWritten, reversed].flatMap((heard) => (heard.kind === "answer" ? [] : [`${judge.id}: ${heard.problem}`])),
      ),
    ),
  ].join("; ");

const format = (score: number | undefined): string => (score === undefined ? "no score" : String(Math.round(score * 10) / 10));
