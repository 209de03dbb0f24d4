import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { detectIsolation } from "../agents/index.ts";
import { Scene } from "./cli.testkit.ts";

interface Told {
  ok: boolean;
  checks: { name: string; verdict: string; detail: string; hint?: string }[];
  isolation: { kind: string; policy: string | null; why?: string; mend?: string; by?: string };
}

const doctor = async (scene: Scene, ...args: string[]): Promise<{ code: number | null; told: Told }> => {
  const { code, values } = await scene.json("doctor", ...args);
  return { code, told: values[0] as unknown as Told };
};

test("doctor starts every agent for real, says where each setting comes from, and leaves nothing behind", async () => {
  await using scene = new Scene({
    "stepfall.yaml":
      "slots: 3\nagents: { coder: { executor: chat, model: made-up/m }, mine: { executor: shell, command: cat } }\nproviders: { made-up: { script: answers.json } }\n",
    "answers.json": '{"rules":[],"models":["m"]}',
  });
  const { code, told } = await doctor(scene);
  expect(code, JSON.stringify(told, undefined, 1)).toBe(0);
  const by = new Map(told.checks.map((c) => [c.name, c]));
  expect(by.get("slots")?.detail).toMatch(/^3 \(.*stepfall\.yaml:1\)$/);
  expect(by.get("grace")?.detail).toBe("30 s (default)");
  expect(by.get("agent coder")?.verdict).toBe("ok");
  expect(by.get("agent mine")?.verdict).toBe("ok");
  expect(by.get("gateway")?.verdict).toBe("ok");
  expect(existsSync(scene.home)).toBe(false);
});

test("an agent whose provider has no key, and settings that are wrong, are problems: exit 1, with what to do", async () => {
  const own = "own: { executor: cli, preset: claude, credentials: direct, command: [cat] }";
  await using scene = new Scene({ "stepfall.yaml": `agents: { coder: { executor: chat, model: openai/gpt-5-mini }, ${own} }\n` });
  scene.sandbox = {};
  const first = await doctor(scene);
  expect(first.code).toBe(1);
  const open = first.told.checks.find((c) => c.name === "isolation of own");
  expect(open?.detail).toBe(
    first.told.isolation.kind === "sandbox" ? "it uses a login of its own, and so reaches the whole network" : undefined,
  );
  expect(first.told.checks.find((c) => c.name === "agent coder")).toMatchObject({
    verdict: "problem",
    detail: expect.stringMatching(/no key/) as string,
  });
  scene.write({ "stepfall.yaml": "slotz: 3\n" });
  const second = await scene.run(["doctor"]);
  expect(second.stdout).toMatch(/settings: stepfall\.yaml differs from the last commit.*\n {4}Commit it/);
  expect(second.code).toBe(1);
  expect(second.stdout).toMatch(/✗ settings: .*stepfall\.yaml:1:1 UNKNOWN_KEY: .*\n {4}Did you mean/);
});

test("agents that are installed are found and really started, and doctor says how to use them or why they do not work", async () => {
  await using scene = new Scene();
  const bin = join(scene.folder, "bin");
  const program = (name: string, script: string): void => {
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  program("claude", 'echo "$HOME" > "$HOME/started"; echo "9.9.9 (Claude Code)"');
  program("gemini", "echo this is no protocol; exit 3");
  const { code, values } = await scene.json("doctor");
  expect(code).toBe(0);
  expect(JSON.stringify(values)).not.toContain('"found claude"');

  const ended = await scene.run(["doctor", "--json"], { env: { PATH: `${bin}:${process.env["PATH"]}` } });
  const told = JSON.parse(ended.stdout) as Told;
  const by = new Map(told.checks.map((c) => [c.name, c]));
  expect(by.get("found claude")?.detail).toContain(`${bin}/claude: `);
  expect(by.get("found claude")?.detail).toContain("9.9.9");
  expect(by.get("found claude")?.hint).toBe("To use it: agents: { claude: { executor: cli, preset: claude, credentials: direct } }");
  expect(existsSync(join(scene.folder, "started")), "as the user would start it").toBe(true);
  expect(by.get("found gemini")).toMatchObject({ verdict: "note", detail: expect.stringMatching(/gemini: Gemini CLI: /) as string });
  expect(by.get("not installed")?.hint).toContain("npm install -g @openai/codex");
});

const requiring =
  "sandbox: { policy: require, domains: [registry.example.com] }\nagents: { codex: { executor: cli, preset: codex, credentials: direct, command: [cat] } }\n";

test("doctor says which isolation is in force, as a trial of it has shown, and of which agents it keeps in less", async () => {
  await using scene = new Scene({ "stepfall.yaml": requiring });
  scene.sandbox = {};
  const { told } = await doctor(scene);
  const here = await detectIsolation({ path: process.env["PATH"] ?? "" });
  expect(told.isolation).toEqual({ ...(here.kind === "sandbox" ? { kind: "sandbox", by: here.by } : here), policy: "require" });
  const by = new Map(told.checks.map((c) => [c.name, c]));
  expect(by.get("sandbox.policy")?.detail).toMatch(/^require \(.*stepfall\.yaml:1\)$/);
  expect(by.get("sandbox.domains")?.detail).toMatch(/^registry\.example\.com \(/);
  if (here.kind === "none") {
    expect(by.get("isolation")).toMatchObject({ verdict: "problem", hint: here.mend });
    return;
  }
  expect(by.get("isolation")).toMatchObject({ verdict: "ok" });
  expect(by.get("isolation")?.detail).toContain(here.by);
  expect(by.get("isolation")?.detail).toContain("registry.example.com");
  expect(by.get("isolation of codex")).toMatchObject({ verdict: "note", detail: expect.stringContaining("Codex's own sandbox") as string });
});

test("without the programs of a sandbox it says what to install; that is a problem only where a sandbox is required", async () => {
  await using scene = new Scene();
  scene.sandbox = {};
  const bin = join(scene.folder, "bin");
  mkdirSync(bin);
  // The programs that Stepfall itself needs, and no bubblewrap.
  for (const name of ["git", "sh", "env", "node", "ps", "uname"]) {
    const found = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
    const program = found.find((file) => existsSync(file));
    if (program !== undefined) symlinkSync(program, join(bin, name));
  }
  const env = { PATH: bin };
  const look = async (more: Record<string, string> = {}): Promise<{ code: number | null; told: Told }> => {
    const { code, stdout } = await scene.run(["doctor", "--json"], { env: { ...env, ...more } });
    return { code, told: JSON.parse(stdout) as Told };
  };
  const isolationOf = (told: Told) => told.checks.find((c) => c.name === "isolation");

  const [preferred, required, off] = await Promise.all([look(), look({ STEPFALL_SANDBOX: "require" }), look({ STEPFALL_SANDBOX: "off" })]);
  expect(preferred.code, JSON.stringify(preferred.told, undefined, 1)).toBe(0);
  expect(preferred.told.isolation).toMatchObject({ kind: "none", policy: "prefer" });
  expect(isolationOf(preferred.told)).toMatchObject({
    verdict: "note",
    detail: expect.stringMatching(/no sandbox: .*run as you/) as string,
  });
  if (process.platform === "linux") {
    expect(isolationOf(preferred.told)?.detail).toContain("bwrap and socat not found");
    expect(isolationOf(preferred.told)?.hint).toContain("apt-get install bubblewrap socat");
  }

  expect(required.code).toBe(1);
  expect(isolationOf(required.told)).toMatchObject({ verdict: "problem", detail: expect.stringContaining("require a sandbox") as string });

  expect(off.code).toBe(0);
  expect(isolationOf(off.told)?.detail).toMatch(/turned off \(\$STEPFALL_SANDBOX\)/);
});

test("without any agent it does not say that all is well: commands work, and what a prompt needs is told", async () => {
  await using scene = new Scene();
  const { code, stdout } = await scene.run(["doctor"]);
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/\nCommands and approvals work\. A step with a prompt needs an agent, and there is none: see `agents` above\.\n$/);
  expect(stdout).toMatch(/· agents: the settings name no agent for prompts\n {4}.*(?:key|found above)/);
});
