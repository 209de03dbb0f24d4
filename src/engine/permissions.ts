import { isDeepStrictEqual } from "node:util";
import type { PermissionAnswer, PermissionRequest } from "../agents/index.ts";
import {
  currentAttempt,
  inboxItemId,
  stillWaits,
  verdictOn,
  type InboxItem,
  type RunEvent,
  type RunState,
  type Verdict,
  type WorkStep,
} from "../domain/index.ts";
import type { RunLog } from "./run-log.ts";

/** What people are asked about a running attempt. */
export interface AttemptQuestion {
  title: string;
  detail?: string | undefined;
  choices: readonly string[];
  /** The agent's own, by its id: the same request is the same item, whatever its words. */
  request?: string | undefined;
}

/** Asks people about running attempts: what their agents ask leave for, where the step's policy does not say it, and what is to be done with them. */
export class PermissionDesk {
  readonly #log: () => RunLog;
  readonly #mask: (text: string) => string;
  readonly #waiting = new Map<string, (verdict: Verdict) => void>();
  /** Items that an attempt has asked for here. An answer counts for what was asked, not for the same asked once more. */
  readonly #asked = new Set<string>();

  constructor(log: () => RunLog, mask: (text: string) => string) {
    this.#log = log;
    this.#mask = mask;
  }

  /** Never rejects. */
  async ask(step: WorkStep, attempt: string, request: PermissionRequest, signal: AbortSignal): Promise<PermissionAnswer> {
    const policy = step.permissions ?? "allow";
    const isEdit = request.kind === "edit" || request.kind === "read" || request.kind === "move" || request.kind === "delete";
    if (policy === "allow" || (policy === "edits" && isEdit) || (policy === "ask" && request.kind === "read")) return { allow: true };
    if (policy === "deny") return { allow: false, because: "the step allows nothing that must be asked for" };
    if (policy === "edits") return { allow: false, because: "the step allows edits only" };
    const { title, detail, before } = request;
    try {
      const verdict = await this.#askPeople(step, attempt, { kind: "permission", title, detail, choices: [], before }, signal);
      if (verdict?.kind === "agreed") return { allow: true };
      return { allow: false, because: verdict?.kind === "refused" ? verdict.because : "the attempt is over" };
    } catch (error) {
      return { allow: false, because: signal.aborted ? "the attempt is over" : `nobody could be asked: ${(error as Error).message}` };
    }
  }

  /** What people chose; `undefined` when the attempt is over before. Never rejects. */
  async question(step: WorkStep, attempt: string, question: AttemptQuestion, signal: AbortSignal): Promise<string | undefined> {
    try {
      const verdict = await this.#askPeople(step, attempt, { kind: "question", detail: undefined, ...question }, signal);
      return verdict?.kind === "answered" ? verdict.answer : undefined;
    } catch {
      // The run is somebody else's, or the store is gone: theirs to ask again.
      return undefined;
    }
  }

  async #askPeople(
    step: WorkStep,
    attempt: string,
    what: {
      kind: "permission" | "question";
      title: string;
      detail: string | undefined;
      choices: readonly string[];
      before?: number | undefined;
      request?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<Verdict | undefined> {
    const log = this.#log();
    const s = log.state.steps.get(step.path);
    const a = s && currentAttempt(s);
    if (!s || a?.id !== attempt || signal.aborted) return undefined;
    const { kind, choices, request } = what;
    const title = this.#mask(what.title).slice(0, 300);
    const detail = what.detail === undefined ? undefined : this.#mask(what.detail).slice(0, 4000);
    // An agent that was taken up asks again what it has asked the engine before this one, unless it has got that answer already.
    const isSame = (i: InboxItem): boolean =>
      i.attempt === attempt && i.kind === kind && i.title === title && (kind === "question" || i.detail === detail);
    const items = [...log.state.inbox.values()];
    const asked =
      request === undefined
        ? items
            .filter((i) => isSame(i) && i.request === undefined)
            .slice(what.before ?? 0)
            .find((i) => !this.#asked.has(i.item))
        : (items.find((i) => i.attempt === attempt && i.request === request) ??
          // In the same words once more: only what nobody has answered, for an answer may have reached it.
          items.find(
            (i) => isSame(i) && i.request !== undefined && i.detail === detail && isDeepStrictEqual(i.choices, choices) && stillWaits(i),
          ));
    const item = asked?.item ?? inboxItemId(log.state.runId, step.path, s.items + 1 + this.#openOf(step.path));
    const { promise, resolve } = Promise.withResolvers<Verdict | undefined>();
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.set(item, resolve);
    this.#asked.add(item);
    try {
      const opened: RunEvent = {
        type: "InboxOpened",
        data: {
          item,
          step: step.path,
          attempt,
          kind,
          title,
          ...(detail === undefined ? {} : { detail }),
          choices: [...choices],
          who: [],
          count: 1,
          ...(request === undefined ? {} : { request }),
        },
      };
      if (!asked) await log.submit({ events: [opened], cause: attempt });
      if (signal.aborted) onAbort();
      this.look(log.state);
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#waiting.delete(item);
    }
  }

  /** Items that are asked for and not in the journal yet. */
  #openOf(path: string): number {
    const { state } = this.#log();
    const prefix = inboxItemId(state.runId, path, 1).slice(0, -1);
    return [...this.#waiting.keys()].filter((item) => item.startsWith(prefix) && !state.inbox.has(item)).length;
  }

  /** Hands on what people have said. */
  look(state: RunState): void {
    for (const [item, resolve] of this.#waiting) {
      const open = state.inbox.get(item);
      const verdict = open && verdictOn(open, 0, undefined);
      if (verdict && verdict.kind !== "open") resolve(verdict);
    }
  }
}
