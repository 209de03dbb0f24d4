import { fold, runOfStream, type Recorded, type RunState } from "../domain/index.ts";
import type { Store } from "../store/index.ts";
import type { CallingWith, Hook, Letter, Seen } from "./contract.ts";
import { letterId } from "./letters.ts";
import { payloadOf } from "./payload.ts";

/** Runs whose state is kept between events. */
const MOST_STATES = 16;

/** Turns events of the journal into letters: for each event one for every hook that it matches. */
export class LetterWriter {
  readonly #store: Pick<Store, "read">;
  readonly #hooksOf: (runId: string | undefined) => Promise<readonly Hook[]>;
  readonly #world: CallingWith;
  readonly #states = new Map<string, RunState>();
  /** Filters that failed, to be told once each. */
  readonly #failed = new Set<string>();
  readonly #notice: (text: string) => void;

  constructor(options: {
    store: Pick<Store, "read">;
    /** Those that count for a run, as its base commit and the user's file say; without a run the user's. */
    hooksOf: (runId: string | undefined) => Promise<readonly Hook[]>;
    world: CallingWith;
    notice: (text: string) => void;
  }) {
    this.#store = options.store;
    this.#hooksOf = options.hooksOf;
    this.#world = options.world;
    this.#notice = options.notice;
  }

  async write(recorded: Recorded): Promise<Letter[]> {
    const runId = runOfStream(recorded.stream);
    const hooks = (await this.#hooksOf(runId)).filter((h) => !h.veto && (h.on === "*" || h.on.has(recorded.event.type)));
    if (hooks.length === 0) return [];
    const state = runId === undefined ? undefined : await this.#stateAt(recorded.stream, recorded.version);
    const seen: Seen = { recorded, state };
    return hooks.flatMap((hook) => {
      const match = hook.matches(seen);
      if (!match.ok && !this.#failed.has(hook.key)) {
        this.#failed.add(hook.key);
        this.#notice(this.#world.mask(`hook ${hook.name}: its filter cannot be computed for ${recorded.event.type}: ${match.message}`));
      }
      if (!match.ok || !match.holds) return [];
      const { name, key, call, timeoutMs, retries, backoffMs } = hook;
      const payload = payloadOf(name, seen, this.#world.mask);
      const callee = { name, call, timeoutMs, retries, backoffMs };
      const of = state ? { runId, project: state.project } : {};
      return [{ version: 1 as const, id: letterId(recorded.globalSeq, key), key, callee, ...of, payload, tries: 0 }];
    });
  }

  /** The run right after an event. Events come in order, so most often one event is folded in. */
  async #stateAt(stream: string, version: number): Promise<RunState> {
    const kept = this.#states.get(stream);
    const from = kept && kept.version <= version ? kept : undefined;
    const after = from?.version ?? 0;
    const events = await this.#store.read(stream, { after, limit: version - after });
    const state = fold(events, from);
    this.#states.delete(stream);
    if (state.status !== "finished") this.#states.set(stream, state);
    const [oldest] = this.#states.keys();
    if (this.#states.size > MOST_STATES && oldest !== undefined) this.#states.delete(oldest);
    return state;
  }
}
