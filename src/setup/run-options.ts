import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigFlags } from "../config/index.ts";
import { runFolder } from "../engine/index.ts";

/** What a run was started with and needs again when it is resumed. Never a secret. */
export interface RunOptions {
  model?: string | undefined;
  modelUrl?: string | undefined;
  agent?: string | undefined;
  slots?: string | undefined;
  grace?: string | undefined;
  keep?: boolean | undefined;
  /** `require`, `prefer` or `off`. */
  sandbox?: string | undefined;
  /** Providers that were scripted models, so that a bill can say so. */
  scripted?: readonly string[] | undefined;
  /** Set by `clean`, which leaves this file and nothing beside it; `but-branch`: the branch holds work that is nowhere else. */
  cleaned?: "all" | "but-branch" | undefined;
}

const OPTIONS = "options.json";
const fileOf = (home: string, runId: string): string => join(runFolder(home, runId), OPTIONS);

export function saveOptions(home: string, runId: string, options: RunOptions): void {
  mkdirSync(runFolder(home, runId), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(home, runId), `${JSON.stringify({ version: 1, ...options })}\n`, { mode: 0o600 });
}

/** Removes what a run left in its folder, but not what its bill is read by (which models were scripted), nor with what it can be started again. */
export function clearRunFolder(home: string, runId: string, cleaned: "all" | "but-branch"): void {
  saveOptions(home, runId, { ...readOptions(home, runId), cleaned });
  const folder = runFolder(home, runId);
  for (const name of readdirSync(folder)) if (name !== OPTIONS) rmSync(join(folder, name), { recursive: true, force: true });
}

/** Nothing when the file is gone: the settings alone count then. */
export function readOptions(home: string, runId: string): RunOptions {
  try {
    return JSON.parse(readFileSync(fileOf(home, runId), "utf8")) as RunOptions;
  } catch {
    return {};
  }
}

/** Those of them that are settings. */
export const configFlags = (options: RunOptions): ConfigFlags => ({
  slots: options.slots,
  grace: options.grace,
  model: options.model,
  modelUrl: options.modelUrl,
  defaultAgent: options.agent,
  sandboxPolicy: options.sandbox,
});
