import { setImmediate as soon } from "node:timers/promises";
import type { Git } from "./git.ts";

/** Writes refs, those that come while git is writing others together in one process. */
export class RefWriter {
  readonly #git: Git;
  #waiting: { line: string; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #isWriting = false;

  constructor(git: Git) {
    this.#git = git;
  }

  /** Points `ref` at `commit`, wherever it stood. */
  set(ref: string, commit: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ line: `update ${ref} ${commit}\n`, resolve, reject });
    if (!this.#isWriting) void this.#write();
    return promise;
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    await soon();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const update = (items: typeof batch): Promise<unknown> =>
        this.#git(["update-ref", "--stdin"], { input: items.map((i) => i.line).join("") });
      try {
        await update(batch);
        for (const item of batch) item.resolve();
      } catch {
        // One that cannot be written must not keep the others from it: git writes all of them or none.
        for (const item of batch) await update([item]).then(item.resolve, item.reject);
      }
    }
    this.#isWriting = false;
  }
}
