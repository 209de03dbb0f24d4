import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcess, processStartTime } from "../agents/index.ts";
import type { Config } from "../config/index.ts";
import { runFolder } from "../engine/index.ts";
import { spawnScriptedModel } from "../models/index.ts";
import { RequestError } from "./failure.ts";
import { chainOf, isGatewayAgent } from "./registry.ts";

/**
 * Scripted models that a run uses, each a process of its own. They are on record beside the run, so that one which outlived a crash is ended
 * before the next is started.
 */
export class ScriptedModels {
  readonly urls = new Map<string, string>();
  readonly #folder: string;

  constructor(home: string, runId: string) {
    this.#folder = runFolder(home, runId);
  }

  async start(config: Config, agentIds: readonly string[]): Promise<void> {
    const wanted = new Set(
      config.agents.flatMap((a) => (isGatewayAgent(a) && agentIds.includes(a.id) ? chainOf(a).map((m) => m.provider) : [])),
    );
    for (const provider of config.providers) {
      if (!wanted.has(provider.id) || provider.script === undefined) continue;
      await this.stop(provider.id);
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      try {
        const { pid, baseUrl } = await spawnScriptedModel({ scriptFile: provider.script });
        writeFileSync(this.#record(provider.id), JSON.stringify({ pid, startTime: processStartTime(pid) ?? "" }), { mode: 0o600 });
        this.urls.set(provider.id, baseUrl);
      } catch (error) {
        throw new RequestError(
          "SCRIPT_BAD",
          `the scripted model ${provider.id} did not start from ${provider.script}: ${lastLine(error)}`,
          "Correct the file: see examples/fix-and-verify/model-script.json.",
        );
      }
    }
  }

  /** Ends what runs, also what another process left. */
  async stopAll(): Promise<void> {
    for (const id of this.urls.keys()) await this.stop(id);
    this.urls.clear();
  }

  async stop(provider: string): Promise<void> {
    const file = this.#record(provider);
    try {
      const { pid, startTime } = JSON.parse(readFileSync(file, "utf8")) as { pid: number; startTime: string };
      if (startTime !== "" && processStartTime(pid) === startTime) await endProcess({ pid, startTime, pgid: pid });
    } catch {
      // No record: nothing was started, or it was ended in order.
    }
    rmSync(file, { force: true });
  }

  #record(provider: string): string {
    return join(this.#folder, `scripted-${provider}.json`);
  }
}

const lastLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .split("\n")
    .filter((l) => l.trim() !== "" && !/^\s+at /.test(l))
    .slice(0, 3)
    .join(" ")
    .slice(0, 400);
