import type { PermissionAnswer, PermissionRequest } from "../agents/index.ts";
import { currentAttempt, inboxItemId, verdictOn, type RunState, type WorkStep } from "../domain/index.ts";
import type { Fact, RunLog } from "./run-log.ts";

/** Answers what agents ask leave for: by the step's policy, or by a person through the inbox. */
export class PermissionDesk {
  readonly #log: () => RunLog;
  readonly #mask: (text: string) => string;
  readonly #waiting = new Map<string, (answer: PermissionAnswer) => void>();

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
    try {
      return await this.#askPeople(step, attempt, request, signal);
    } catch (error) {
      return { allow: false, because: signal.aborted ? "the attempt is over" : `nobody could be asked: ${(error as Error).message}` };
    }
  }

  async #askPeople(step: WorkStep, attempt: string, request: PermissionRequest, signal: AbortSignal): Promise<PermissionAnswer> {
    const log = this.#log();
    const s = log.state.steps.get(step.path);
    const a = s && currentAttempt(s);
    if (!s || a?.id !== attempt) return { allow: false, because: "the attempt is over" };
    const title = this.#mask(request.title).slice(0, 300);
    const detail = request.detail === undefined ? undefined : this.#mask(request.detail).slice(0, 4000);
    // An agent that was taken up asks again what it has asked the engine before this one.
    const asked = [...log.state.inbox.values()].find(
      (i) => i.attempt === attempt && i.kind === "permission" && i.title === title && i.detail === detail && !this.#waiting.has(i.item),
    );
    const item = asked?.item ?? inboxItemId(log.state.runId, step.path, s.items + 1 + this.#openOf(step.path));
    const { promise, resolve } = Promise.withResolvers<PermissionAnswer>();
    const onAbort = (): void => resolve({ allow: false, because: "the attempt is over" });
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.set(item, resolve);
    try {
      const opened: Fact = {
        events: [
          {
            type: "InboxOpened",
            data: {
              item,
              step: step.path,
              attempt,
              kind: "permission",
              title,
              ...(detail === undefined ? {} : { detail }),
              choices: [],
              who: [],
              count: 1,
            },
          },
        ],
        cause: attempt,
      };
      if (!asked) await log.submit(opened);
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
      if (!open) continue;
      const verdict = verdictOn(open, 0, undefined);
      if (verdict.kind === "agreed") resolve({ allow: true });
      else if (verdict.kind === "refused") resolve({ allow: false, because: verdict.because });
    }
  }
}
