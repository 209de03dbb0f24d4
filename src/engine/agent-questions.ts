import { runToolLimits, runTools } from "../domain/index.ts";
import type { AgentReply, AgentRequest } from "../models/index.ts";
import { notUnderstood, refuses, says, type Asker } from "./agent-reply.ts";
import type { PermissionDesk } from "./permissions.ts";
import type { RunLog } from "./run-log.ts";

/** A question that people are asked. */
interface Asking {
  attempt: string;
  /** That it was asked with first. */
  request: string;
  /** How people who look at the attempt see that it waits. */
  label: string;
  answer: Promise<string | undefined>;
  isAnswered: boolean;
  /** Requests that wait for it, or for their answer to arrive. */
  open: number;
  /** Whether one of these answers arrived. */
  heard: PromiseWithResolvers<boolean>;
}

/** Questions of the agents of a run to people: no more than people can bear, and no answer lost on its way. */
export class AgentQuestions {
  readonly #log: () => RunLog;
  readonly #desk: Pick<PermissionDesk, "question">;
  readonly #mask: (text: string) => string;
  /** Those whose answer their agent has not heard yet, by attempt and words: the same asked again waits for the same answer. */
  readonly #asking = new Map<string, Asking>();
  #labels = 0;

  constructor(log: () => RunLog, desk: Pick<PermissionDesk, "question">, mask: (text: string) => string) {
    this.#log = log;
    this.#desk = desk;
    this.#mask = mask;
  }

  async ask(asker: Asker, request: AgentRequest): Promise<AgentReply | undefined> {
    const { step, attempt, waiting } = asker;
    const input = runTools.ask.input.safeParse(request.input);
    if (!input.success) return notUnderstood;
    const words = wordsOf(asker, request);
    let asking = this.#asking.get(words);
    // The answer is on its way to it: if it arrives, this is another question.
    if (asking?.isAnswered && (await asking.heard.promise)) asking = this.#asking.get(words);
    if (!asking) {
      const why = this.#whyNoMore(attempt, request.id);
      if (why !== undefined) return refuses(why);
      const { question, choices = [] } = input.data;
      const [title = ""] = question.split("\n", 1);
      const detail = question.length > MOST_TITLE || title !== question ? question : undefined;
      const masked = choices.map((choice) => this.#mask(choice));
      const answer = this.#desk.question(step, attempt, { title, detail, choices: masked, request: request.id }, asker.signal);
      const label = `question ${(this.#labels += 1)}: ${this.#mask(title).slice(0, MOST_LABEL)}`;
      asking = { attempt, request: request.id, label, answer, isAnswered: false, open: 0, heard: Promise.withResolvers() };
      this.#asking.set(words, asking);
    }
    if (asking.open === 0 && asking.isAnswered) asking.heard = Promise.withResolvers();
    asking.open += 1;
    const said = await waiting(asking.label, asking.answer);
    asking.isAnswered = true;
    if (said !== undefined) return says(said);
    // The attempt is over, or another engine's: that one answers.
    this.#asking.delete(words);
    return undefined;
  }

  /** Why it may not ask now; `undefined`: it may. People are not to be flooded, by one agent or by many. */
  #whyNoMore(attempt: string, request: string): string | undefined {
    const recorded = new Set([...this.#log().state.inbox.values()].flatMap((i) => (i.attempt === attempt && i.request ? [i.request] : [])));
    if (recorded.has(request)) return undefined;
    const asking = [...this.#asking.values()];
    const underWay = asking.filter((a) => a.attempt === attempt && !recorded.has(a.request)).length;
    const asked = recorded.size + underWay;
    if (asked >= runToolLimits.questions)
      return `You have asked ${asked} questions, which is all that an attempt may ask. Decide yourself, and say in the end what you decided.`;
    const open = asking.filter((a) => !a.isAnswered).length;
    return open < runToolLimits.questionsOfRun
      ? undefined
      : `${open} questions of this run wait for people already. Go on with what needs no answer, and ask again later.`;
  }

  /** Whether its agent still listened when the answer came. */
  replied(asker: Asker, request: AgentRequest, isHeard: boolean): void {
    const words = wordsOf(asker, request);
    const asking = this.#asking.get(words);
    if (!asking) return;
    asking.open -= 1;
    if (isHeard) this.#asking.delete(words);
    if (isHeard || asking.open === 0) asking.heard.resolve(isHeard);
  }
}

/** A title of the inbox is cut there. */
const MOST_TITLE = 300;
const MOST_LABEL = 100;

const wordsOf = ({ attempt }: Asker, { input }: AgentRequest): string => {
  const asked = runTools.ask.input.safeParse(input).data;
  return JSON.stringify([attempt, asked?.question, asked?.choices]);
};
