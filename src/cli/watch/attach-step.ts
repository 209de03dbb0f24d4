import { setTimeout as sleep } from "node:timers/promises";
import { apply, currentAttempt, isOver, runStream, type AttemptState, type RunState, type StepState } from "../../domain/index.ts";
import { runFolder, whyNoMessage, type SentMessage } from "../../engine/index.ts";
import { type LogLine, readable, Transcripts } from "../../control/index.ts";
import { isTyped } from "../../setup/failure.ts";
import { driverOf, loadRun } from "../../setup/find-run.ts";
import { homeOf } from "../../setup/settings.ts";
import type { Store } from "../../store/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { eventLine } from "../progress/event-line.ts";
import { clockTime, firstLine } from "../show/format.ts";
import { commandLine } from "../show/summary.ts";
import { openTypedLines, type TypedLines } from "./typed-lines.ts";

const LOOK_AGAIN_MS = 200;
/** Between two drivers, and before the first, nobody drives a run for a moment. */
const UNDRIVEN_MS = 3000;

export interface AttachedStep {
  store: Store;
  runId: string;
  step: string;
  send(text: string): Promise<SentMessage>;
}

/** Follows the agents of a step, one after the other, until the step is over. Answers the exit code. */
export async function attachTo(cli: Cli, attached: AttachedStep): Promise<number> {
  const { store, runId } = attached;
  const state = await loadRun(store, runId);
  using typed = openTypedLines(cli, process.stdin);
  const following = new Following(cli, attached, state, typed);
  typed.onLine((text) => void following.say(text));
  await following.begin();
  while (!following.isOver && !cli.out.unread.aborted) {
    await sleep(LOOK_AGAIN_MS);
    await following.look();
  }
  return following.end();
}

class Following {
  readonly #cli: Cli;
  readonly #at: AttachedStep;
  readonly #state: RunState;
  readonly #typed: TypedLines;
  readonly #transcripts: Transcripts;
  /** Of the first attempt that is shown. */
  readonly #from: number;
  #undrivenSince: number | undefined;
  #isStopped = false;
  /** Messages that are being recorded. */
  #sending: Promise<void> = Promise.resolve();
  readonly #sent: SentMessage[] = [];
  #refused = 0;

  constructor(cli: Cli, at: AttachedStep, state: RunState, typed: TypedLines) {
    this.#cli = cli;
    this.#at = at;
    this.#state = state;
    this.#typed = typed;
    this.#transcripts = new Transcripts(runFolder(homeOf(cli), at.runId), at.runId, at.step);
    this.#from = currentAttempt(this.#step)?.n ?? 1;
  }

  get #step(): StepState {
    const step = this.#state.steps.get(this.#at.step);
    if (!step) throw new TypeError(`no step ${this.#at.step}`);
    return step;
  }

  get isOver(): boolean {
    return isOver(this.#step) || this.#state.status === "finished" || this.#isStopped;
  }

  async begin(): Promise<void> {
    const { step } = this.#at;
    const attempt = currentAttempt(this.#step);
    const no = whyNoMessage(this.#state, step);
    if (!this.#cli.json) {
      if (isOver(this.#step)) this.#note(`${step} is over: it ${this.#step.status}.`);
      else if (attempt?.phase !== "running") this.#note(`No agent works on ${step} yet: it is followed when one does.`);
      else if (no !== undefined) this.#note(`${no}. It is only followed.`);
      else this.#note(`What you type is said to ${attempt.agent}, a line at a time. Ctrl-C leaves; the run goes on.`);
    }
    await this.look();
  }

  /** Recorded in the order in which they were typed. */
  say(text: string): Promise<void> {
    if (text.trim() === "") return this.#sending;
    return (this.#sending = this.#sending.then(async () => {
      try {
        this.#sent.push(await this.#at.send(text));
      } catch (error) {
        // Whatever it is, the agent is followed on.
        const { code, message, hint } = isTyped(error) ? error : { code: "INTERNAL", message: String(error), hint: "Say it again." };
        this.#refused += 1;
        if (this.#cli.json) this.#cli.out.json({ version: 1, type: "refused", text, code, message });
        else this.#note(`not said: ${message}. ${hint}`);
      }
    }));
  }

  async look(): Promise<void> {
    const { store, runId } = this.#at;
    const driver = await driverOf(store, runId, this.#cli.clock.now());
    // Asked before: what was written until then is all read.
    const events = await store.read(runStream(runId), { after: this.#state.version });
    const lines = await this.#transcripts.next();
    for (const line of lines) if (line.n >= this.#from) this.#line(line);
    for (const e of events) {
      apply(this.#state, e);
      const ofStep = "step" in e.event.data && e.event.data.step === this.#at.step;
      if (!ofStep && e.event.type !== "RunFinished") continue;
      if (this.#cli.json) this.#cli.out.json({ version: 1, type: "event", at: e.at, runId, seq: e.version, event: e.event });
      else {
        const text = eventLine(e.event, this.#state);
        if (text) this.#note(`${clockTime(e.at)} ${text}`);
      }
    }
    this.#undrivenSince = driver ? undefined : (this.#undrivenSince ?? performance.now());
    this.#isStopped = this.#undrivenSince !== undefined && performance.now() - this.#undrivenSince >= UNDRIVEN_MS;
  }

  #line(line: LogLine): void {
    if (this.#cli.json) return this.#cli.out.json({ version: 1, type: "line", ...line });
    const who = `${clockTime(line.at)} ${line.step}#${line.n}${line.role === "agent" ? "" : ` ${line.role}`} |`;
    for (const text of readable(line).flatMap((t) => t.split(/\r?\n/))) this.#typed.above(() => this.#cli.out.data(`${who} ${text}`));
  }

  #note(text: string): void {
    this.#typed.above(() => this.#cli.out.note(text));
  }

  async end(): Promise<number> {
    await this.#sending;
    const messages = this.#step.attempts.flatMap((a: AttemptState) => (a.messages ?? []).map((m) => ({ ...m, attempt: a.id })));
    const ours = messages.filter((m) => this.#sent.some((s) => s.attempt === m.attempt && s.n === m.n));
    const lost = ours.filter((m) => m.deliveredAt === undefined);
    const { status } = this.#step;
    const { runId, step } = this.#at;
    const isFine = lost.length === 0 && this.#refused === 0;
    const code = this.#isStopped && !isOver(this.#step) ? Exit.interrupted : status === "completed" && isFine ? Exit.ok : Exit.failed;
    const counts = { sent: ours.length, delivered: ours.length - lost.length, refused: this.#refused };
    if (this.#cli.json) this.#cli.out.json({ version: 1, type: "result", exitCode: code, runId, step, status, messages: counts });
    else {
      for (const m of lost) this.#note(`not delivered, since ${m.attempt.slice(runId.length + 1)} ended first: ${firstLine(m.text)}`);
      if (code === Exit.interrupted) this.#note(`Nobody drives the run now. Go on with: ${commandLine(this.#cli, "resume", runId)}`);
      else this.#note(`${step} ${status}`);
    }
    return code;
  }
}
