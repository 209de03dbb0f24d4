import { existsSync, globSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { fakeAgent } from "../../src/agents/acp/fake-agent.testkit.ts";
import { isolation, sandboxTitle } from "../../src/agents/sandbox/sandbox.testkit.ts";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { isThere, keptAgents } from "../crash/processes.ts";
import { keptBy } from "./run-journal.testkit.ts";

/** A project whose runs are in the sandbox wherever there is one. The files may name the scene's folder, which is made first. */
function sceneOf(files: (folder: string, scene: Scene) => Record<string, string>): Scene {
  const scene = new Scene();
  scene.sandbox = {};
  scene.write(files(scene.folder, scene));
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "files");
  return scene;
}

/** What they have left beside the project and Stepfall's folder. */
const escapedIn = (scene: Scene): string[] => readdirSync(scene.folder).filter((name) => name.startsWith("escaped-"));

/** Writes outside whatever it is given to work in. */
const escape = (folder: string, who: string): string => `touch ${folder}/escaped-${who} ${folder}/project/escaped-${who}`;

/** PATH with these programs and no others. */
function onlyThese(scene: Scene, ...names: string[]): string {
  const bin = join(scene.folder, "bin");
  mkdirSync(bin);
  for (const name of names) {
    const found = (process.env["PATH"] ?? "").split(delimiter).find((folder) => existsSync(join(folder, name)));
    symlinkSync(join(found ?? "", name), join(bin, name));
  }
  return bin;
}

describe.skipIf(isolation.kind === "none")(sandboxTitle("a run in the sandbox"), () => {
  test("a chat agent, an ACP agent and a shell agent do their work, with setup and gates, and none of it gets out", async () => {
    await using scene = sceneOf((folder, { home, project }) => {
      const acp = fakeAgent(join(folder, "agents", "acp.json"), {
        prompt: [
          { do: "child", command: escape(folder, "acp") },
          { do: "sleep", ms: 300 },
          { do: "write", path: "acp.txt", content: "1\n" },
        ],
      });
      const shut = [`${home}/stepfall.db`, `${home}/runs`, `${home}/gateway`, `${project}/README.md`, `${folder}/agents/acp.json`];
      return {
        "model.json": JSON.stringify({
          rules: [
            {
              turns: [
                {
                  toolCalls: [{ name: "run_command", arguments: { command: `${escape(folder, "chat")}; cat $HOME/prepared > chat.txt` } }],
                },
                { text: "done" },
              ],
            },
          ],
        }),
        "stepfall.yaml": `setup: ["echo 1 > $HOME/prepared; ${escape(folder, "setup")} || true"]
agents:
  sh: { executor: shell, command: "${escape(folder, "shell")}; echo 1 > sh.txt" }
  chat: { executor: chat, model: scripted/m }
  acp: { executor: acp, credentials: direct, command: ${JSON.stringify(acp)} }
providers: { scripted: { script: model.json } }
`,
        "p.yaml": `steps:
  sh: { prompt: x, agent: sh, outputs: [sh.txt], gates: ["test -f $HOME/prepared"] }
  chat: { prompt: x, agent: chat, outputs: [chat.txt], gates: ["${escape(folder, "gate")}; test -f chat.txt"] }
  acp: { prompt: x, agent: acp, outputs: [acp.txt] }
  command: { command: "${escape(folder, "command")}; echo 1 > command.txt", outputs: [command.txt] }
  closed: { needs: [sh, chat, acp, command], readonly: true, command: "true", gates: ["for f in ${shut.join(" ")}; do if cat $f || ls $f; then exit 1; fi; done"] }
`,
      };
    });
    const ended = await scene.run(["run", "p.yaml"]);
    expect(ended.code, ended.stderr + ended.stdout).toBe(0);
    expect(ended.stderr).toMatch(/agents and gates run in a sandbox \(bubblewrap [\d.]+\)/);
    const { runId, calls } = await keptBy(scene);
    const there = scene.git("ls-tree", "--name-only", `stepfall/${runId}`).split("\n");
    expect(there).toEqual(expect.arrayContaining(["acp.txt", "chat.txt", "command.txt", "sh.txt"]));
    expect(calls).toHaveLength(2);
    expect(escapedIn(scene)).toEqual([]);
    expect(scene.git("status", "--porcelain")).toBe("");
  });

  test("setup that needs a server nobody named fails, and says how to name it", async () => {
    const get = `node -e "fetch('http://nowhere.example/').catch(e => { console.error(e.cause.code); process.exit(1) })"`;
    await using scene = sceneOf(() => ({
      "p.yaml": `steps:\n  a: { setup: ['${get.replaceAll("'", "''")}'], command: "true", readonly: true, retry: 1 }\n`,
    }));
    const ended = await scene.run(["run", "p.yaml"]);
    expect(ended.code, ended.stderr).toBe(1);
    const [failed] = (await keptBy(scene)).of("AttemptFailed");
    expect(failed?.data).toMatchObject({ kind: "setup", message: expect.stringContaining("sandbox: { domains: [...] }") as string });
    expect(ended.stdout + ended.stderr).toContain("sandbox: { domains: [...] }");
  });

  test("the engine is killed: the agent works on inside, and resume brings it to its end", async () => {
    await using scene = sceneOf((folder) => ({
      "stepfall.yaml": `agents: { sh: { executor: shell, command: "touch $TMPDIR/begun; until [ -e $TMPDIR/go ]; do sleep 0.1; done; ${escape(folder, "kept")}; echo 1 > out.txt" } }\n`,
      "p.yaml": "steps:\n  a: { prompt: x, agent: sh, outputs: [out.txt], gates: [test -f out.txt], retry: 1 }\n",
    }));
    const running = scene.start(["run", "p.yaml"]);
    await running.said("a#1 started");
    const begun = (): string[] => globSync(join(scene.home, "workspaces/*/*/tmp/begun"));
    while (begun().length === 0) await sleep(20);
    running.child.kill("SIGKILL");
    await running.ended;
    const { runId } = await keptBy(scene);
    const [agent] = keptAgents(scene.home, runId);
    expect(isThere(agent?.agent ?? { pid: 0, startTime: "" })).toBe(true);
    writeFileSync(join(begun()[0] ?? "", "../go"), "");
    const resumed = await scene.run(["resume"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain("a#1 goes on: its agent never stopped");
    expect(scene.git("show", `stepfall/${runId}:out.txt`)).toBe("1");
    expect(escapedIn(scene)).toEqual([]);
  });
});

/** A step that does get out where nothing keeps it in. */
const loose = (folder: string): Record<string, string> => ({
  "p.yaml": `steps:\n  a: { command: "${escape(folder, "step")} || true", readonly: true }\n`,
});

test("`--sandbox off` says so, and keeps nothing in", async () => {
  await using scene = sceneOf(loose);
  const ended = await scene.run(["run", "p.yaml", "--sandbox", "off"]);
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toContain("no sandbox: it is switched off, agents and gates run as you");
  expect(escapedIn(scene)).toEqual(["escaped-step"]);
});

test("`--sandbox require` where there is none starts nothing and makes nothing; without it the run goes on, and says so", async () => {
  await using scene = sceneOf(loose);
  const env = { PATH: onlyThese(scene, "git", "sh", "touch") };
  const refused = await scene.run(["run", "p.yaml", "--sandbox", "require"], { env });
  expect([refused.code, refused.stdout], refused.stderr).toEqual([2, ""]);
  expect(refused.stderr).toMatch(/NO_SANDBOX: the settings require a sandbox, and there is none here: .*not found/);
  expect(refused.stderr).toContain("--sandbox prefer");
  expect(scene.homeExists).toBe(false);
  expect(scene.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
  expect(escapedIn(scene)).toEqual([]);
  const preferred = await scene.run(["run", "p.yaml"], { env });
  expect(preferred.code, preferred.stderr).toBe(0);
  expect(preferred.stderr).toMatch(/no sandbox: .*not found; agents and gates run as you\. \S/);
});

test("a project cannot switch the sandbox off", async () => {
  await using scene = sceneOf((folder) => ({ ...loose(folder), "stepfall.yaml": "sandbox: { policy: off }\n" }));
  const refused = await scene.run(["run", "p.yaml"]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("NOT_THE_PROJECTS") as string]);
  expect([scene.homeExists, escapedIn(scene)]).toEqual([false, []]);
});
