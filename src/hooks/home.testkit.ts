import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretBox, type HookSettings, type NotifySettings } from "../config/index.ts";
import { runStream, type Clock, type Pipeline, type RunEvent } from "../domain/index.ts";
import { openSqliteStore, type Store } from "../store/index.ts";
import { compileHooks, Deliverer, Letters, LetterWriter, type CallingWith } from "./index.ts";

const systemClock: Clock = { now: () => Date.now() };
const pipeline: Pipeline = { name: "release", steps: [] };

/** A home with a real store, and the means to write events of a run into it. */
export class HookHome implements AsyncDisposable {
  readonly folder: string;
  readonly notices: string[] = [];
  readonly secrets: Map<string, string> = new Map();
  #store: Store | undefined;
  readonly #owned: boolean;

  constructor(folder?: string) {
    this.#owned = folder === undefined;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), "stepfall-hooks-"));
  }

  async store(): Promise<Store> {
    return (this.#store ??= await openSqliteStore({ file: join(this.folder, "stepfall.db"), clock: systemClock }));
  }

  get letters(): Letters {
    return new Letters(this.folder);
  }

  get world(): CallingWith {
    const box = new SecretBox(this.secrets);
    return {
      env: { PATH: process.env["PATH"] ?? "" },
      secret: (name) => box.get(name),
      mask: (text) => box.mask(text),
      cwd: this.folder,
      program: "stepfall",
    };
  }

  /** Begins a run, or goes on with one. */
  async record(runId: string, ...events: RunEvent[]): Promise<void> {
    const store = await this.store();
    const stream = runStream(runId);
    const expected = (await store.read(stream)).length;
    const started: RunEvent = {
      type: "RunStarted",
      data: { runId, pipeline, project: this.folder, base: "b", branch: `stepfall/${runId}`, agents: [], includeDirty: false },
    };
    const all = expected === 0 ? [started, ...events] : events;
    const at = systemClock.now();
    await store.commit({ appends: [{ stream, expected, events: all.map((event) => ({ event, at, actor: "engine" })) }] });
  }

  /** A process that delivers, as an engine is one. */
  async deliverer(
    hooks: readonly Partial<HookSettings>[],
    options: { notify?: NotifySettings; holder?: string; mostDead?: number } = {},
  ): Promise<Deliverer> {
    const store = await this.store();
    const compiled = compileHooks(hooks.map(hook), options.notify ?? { desktop: false });
    const notice = (text: string): void => void this.notices.push(text);
    const { world } = this;
    const writer = new LetterWriter({ store, hooksOf: () => Promise.resolve(compiled), world, notice });
    const holder = options.holder ?? "this";
    const deliverer = new Deliverer({
      store,
      clock: systemClock,
      home: this.folder,
      holder,
      isDead,
      writer,
      world,
      notice,
      ...(options.mostDead === undefined ? {} : { mostDead: options.mostDead }),
    });
    await deliverer.open();
    return deliverer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store?.close();
    if (this.#owned) rmSync(this.folder, { recursive: true, force: true });
  }
}

export const hook = (given: Partial<HookSettings>): HookSettings => ({
  name: "tell",
  from: "user",
  on: ["*"],
  call: { kind: "command", command: "true", secrets: [] },
  timeoutMs: 20_000,
  retries: 2,
  backoffMs: 5,
  ...given,
});

/** Holders of these tests are called `pid:4711`, or something that never dies. */
function isDead(holder: string): boolean {
  const [, pid] = /^pid:(\d+)$/.exec(holder) ?? [];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch {
    return true;
  }
}
