import { createHash } from "node:crypto";
import type { CleanTree, CommandEnd } from "../quality/index.ts";
import type { Checkout, Workspaces } from "../workspace/index.ts";
import { describeSetup, Ground, type FailedSetup, type Preparation } from "./ground.ts";
import { readTexts, removeFiles } from "./read-reports.ts";

interface Made {
  checkout: Checkout;
  ground: Ground;
  failed: FailedSetup | undefined;
}

/** A checkout for gates: made when the first command asks for it, prepared by setup, torn down and removed at the end. */
export class CleanCheckout implements CleanTree, AsyncDisposable {
  readonly #p: Preparation;
  readonly #workspaces: Workspaces;
  readonly #commit: string;
  readonly #role: string;
  /** Another engine may have been at work on the same attempt, and may wake up: each has its folder, ports and name. */
  readonly #purpose: string;
  #made: Promise<Made> | undefined;
  #count = 0;

  /** `before`: of the commit that the judged one is compared with. */
  constructor(p: Preparation, workspaces: Workspaces, commit: string, role: "gates" | "merge" | "before" | "merge-before") {
    this.#p = p;
    this.#workspaces = workspaces;
    this.#commit = commit;
    this.#role = role;
    this.#purpose = `${role}-${createHash("sha256").update(p.deps.node).digest("hex").slice(0, 8)}`;
  }

  async command(command: string, options: { name: string; timeoutMs: number }): Promise<CommandEnd> {
    const { ground, failed } = await this.#get();
    if (failed)
      return failed.end.kind === "aborted"
        ? failed.end
        : { kind: "unstartable", durationMs: failed.end.durationMs, tail: describeSetup(failed) };
    this.#count += 1;
    return ground.run(command, { role: `${this.#role}-${this.#count}`, timeoutMs: options.timeoutMs });
  }

  async clear(globs: readonly string[]): Promise<void> {
    await removeFiles((await this.#get()).checkout.tree, globs);
  }

  async texts(globs: readonly string[]): Promise<string[]> {
    const { tree } = (await this.#get()).checkout;
    return (await readTexts(tree, globs, tree)).map((text) => this.#p.deps.mask(text));
  }

  async printed(name: string): Promise<string[]> {
    const { tree, tmp } = (await this.#get()).checkout;
    return (await readTexts(tmp, [name], tree)).map((text) => this.#p.deps.mask(text));
  }

  #get(): Promise<Made> {
    return (this.#made ??= this.#make());
  }

  async #make(): Promise<Made> {
    const { runId, attempt } = this.#p;
    const checkout = await this.#workspaces.checkout({ runId, attempt, commit: this.#commit, purpose: this.#purpose });
    try {
      const ground = await Ground.open(this.#p, this.#purpose, checkout);
      return { checkout, ground, failed: await ground.setUp(`${this.#role}-setup`) };
    } catch (error) {
      await checkout[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const made = await this.#made?.catch(() => undefined);
    await made?.ground[Symbol.asyncDispose]();
    await made?.checkout[Symbol.asyncDispose]();
  }
}
