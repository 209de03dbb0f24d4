import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Cli } from "../cli.ts";
import { tellResult } from "../driving/drive.ts";
import { RequestError } from "../../setup/failure.ts";
import { packageRoot } from "../package-root.ts";
import { startAndDrive } from "./run.ts";

const EXAMPLE = join(packageRoot, "examples", "fix-and-verify");
const PIPELINE = "pipeline.yaml";
const WITH_APPROVAL = "with-approval.yaml";

/**
 * `stepfall demo`: makes a small sample project in a temporary folder and runs a pipeline on it as `run` would. The model is scripted, and
 * everything else is real: git, gates, the gateway, the bill. `approve`: it waits in the middle for a person's word. `wait`: it does so without
 * ending.
 */
export async function demo(cli: Cli, flags: { slots?: string | undefined; approve: boolean; wait: boolean }): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "stepfall-demo-"));
  const project = join(folder, "sample-shop");
  await makeProject(project, cli.env);
  const inside: Cli = { ...cli, cwd: project, home: cli.home ?? join(folder, "home"), env: forDemo(cli.env) };
  cli.out.note(`sample project: ${project}\nThe model is scripted: its answers come from model-script.json. No key, no network, no money.`);
  const driven = await startAndDrive(inside, flags.approve ? WITH_APPROVAL : PIPELINE, { slots: flags.slots, wait: flags.wait });
  return tellResult(inside, driven);
}

/** The person's own settings for models must not get into the sample. */
function forDemo(env: Cli["env"]): Cli["env"] {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^STEPFALL_(MODEL|MODEL_URL|MODEL_KEY|DEFAULT_AGENT|SLOTS|DATABASE_URL)$/.test(name)),
  );
}

async function makeProject(project: string, env: Cli["env"]): Promise<void> {
  await mkdir(project);
  await cp(join(EXAMPLE, "project"), project, { recursive: true });
  for (const name of [PIPELINE, WITH_APPROVAL, "stepfall.yaml", "model-script.json"]) await cp(join(EXAMPLE, name), join(project, name));
  // The same identity and time everywhere: the sample's commit is always the same one.
  const who = { NAME: "Stepfall demo", EMAIL: "demo@localhost", DATE: "2026-01-01T00:00:00Z" };
  const identity = Object.fromEntries(
    Object.entries(who).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
  const gitEnv = { PATH: env["PATH"], HOME: "/dev/null", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", ...identity };
  // In the sample's own config too, so that `stepfall merge` works for somebody who has never told git who they are.
  const config = [
    ["config", "user.name", who.NAME],
    ["config", "user.email", who.EMAIL],
  ];
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ...config,
    ["add", "--all"],
    ["commit", "--quiet", "--message", "A cart that forgets quantities"],
  ]) {
    try {
      await promisify(execFile)("git", args, { cwd: project, env: gitEnv });
    } catch (error) {
      throw new RequestError(
        "DEMO_FAILED",
        `git ${args[0]} failed in ${project}: ${(error as Error).message.trim()}`,
        "Is git 2.38 or newer on PATH?",
        1,
      );
    }
  }
}
