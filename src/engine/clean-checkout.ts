import { createHash } from "node:crypto";
import type { CommandEnd } from "../quality/index.ts";
import type { Checkout, Workspaces } from "../workspace/index.ts";
import { describeSetup, Ground, type FailedSetup, type Preparation } from "./ground.ts";

interface Made {
  checkout: Checkout;
  ground: Ground;
  failed: FailedSetup | undefined;
}

/** A checkout for gates: made when the first command asks for it, prepared by setup, torn down and removed at the end. */
export class CleanCheckout implements AsyncDisposable {
  readonly #p: Preparation;
  readonly #workspaces: Workspaces;
  readonly #commit: string;
  readonly #role: string;
  /** Another engine may have been at work on the same attempt, and may wake up: each has its folder, ports and name. */
  readonly #purpose: string;
  #made: Promise<Made> | undefined;
  #count = 0;

  constructor(p: Preparation, workspaces: Workspaces, commit: string, role: "gates" | "merge") {
    this.#p = p;
    this.#workspaces = workspaces;
    this.#commit = commit;
    this.#role = role;
    this.#purpose = `${role}-${createHash("sha256").update(p.deps.node).digest("hex").slice(0, 8)}`;
  }

  async run(command: string, options: { name: string; timeoutMs: number }): Promise<CommandEnd> {
    this.#made ??= this.#make();
    const { ground, failed } = await this.#made;
    if (failed)
      return failed.end.kind === "aborted"
        ? failed.end
        : { kind: "unstartable", durationMs: failed.end.durationMs, tail: describeSetup(failed) };
    this.#count += 1;
    return ground.run(command, { role: `${this.#role}-${this.#count}`, timeoutMs: options.timeoutMs });
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
