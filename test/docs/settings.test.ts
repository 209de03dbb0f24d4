import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { loadConfig } from "../../src/config/index.ts";
import type { ScriptedModel } from "../../src/models/index.ts";
import { rewriter, sendProvidersTo, standsIn, startProviders } from "./endpoint.ts";
import { allDocuments, blocksOf, root, valueOf } from "./markdown.ts";
import { install } from "./play.ts";

/**
 * The settings in the documents are those of a project, as they are written, and each agent in them does a step there. Their providers are one
 * scripted model, their agent programs are stand-in.mjs (the real ones: test/agents); agents behind HTTP, shell agents and the built-in agent
 * are real.
 */
const blocks = allDocuments().flatMap(({ path, text }) =>
  blocksOf(text)
    .filter((block) => block.language === "yaml" && block.info.includes("settings"))
    .map((block) => ({ ...block, at: `${path}:${block.line}` })),
);

interface Settings {
  agents: Record<string, { executor: string; preset?: string; model?: string; credentials?: string }>;
  "default-agent"?: string;
}

test.each(blocks)("$at loads", ({ info, text, at }) => {
  // Some are only for the user's own file.
  const isUsers = info.includes("user");
  const home = mkdtempSync(join(tmpdir(), "stepfall-settings-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  if (isUsers) writeFileSync(join(home, "config.yaml"), text);
  const loaded = loadConfig({ env: {}, home, projectDir: root, projectText: isUsers ? "" : text, projectFile: at });
  expect(loaded.ok ? [] : loaded.problems).toEqual([]);
});

const keys = {
  OPENAI_API_KEY: "a-key-for-openai",
  ANTHROPIC_API_KEY: "a-key-for-anthropic",
  GEMINI_API_KEY: "a-key-for-gemini",
  MINE_KEY: "a-key-for-mine",
  REMOTE_TOKEN: "a-token-of-the-remote-agent",
  AGENT_TOKEN: "a-token-of-the-licenser",
};

const writer =
  'read line; file=$(printf %s "$line" | sed "s/.*Add a line to \\\\([a-z.]*\\\\)\\\\..*/\\\\1/"); echo "// by sh" >> "$file"\n';

describe("every agent in the settings of the documents does a step", () => {
  const stage = new AsyncDisposableStack();
  let model: ScriptedModel;
  let table: Record<string, string>;
  const used = new Set<string>();
  beforeAll(async () => {
    model = stage.use(await startProviders());
    table = {
      ...standsIn(model),
      "https://agents.example.com/a2a": await serveAgent(stage),
      "http://127.0.0.1:8787/": await serveExample(stage),
    };
  });
  afterAll(() => stage.disposeAsync());

  // Settings that name no agent are loaded above; what they do is tested where they belong.
  const loose = blocks.filter((block) => valueOf(block, "file") === undefined && "agents" in (parse(block.text) as object));
  test.each(loose)("$at", async ({ text, at }) => {
    const settings = parse(text) as Settings;
    const ids = Object.keys(settings.agents);
    const byDefault = settings["default-agent"] ?? ids[0] ?? "";
    await using scene = new Scene({
      "stepfall.yaml": rewriter(table)(text),
      "pipeline.yaml": pipelineFor(ids, byDefault),
      "package.json": '{ "name": "p", "private": true }\n',
      "package-lock.json": '{ "name": "p", "lockfileVersion": 3, "requires": true, "packages": { "": { "name": "p" } } }\n',
      "tools/agent.sh": writer,
      "tools/my-agent.mjs": nodeAgent,
      ...Object.fromEntries(ids.map((id) => [`${id}.js`, "export {};\n"])),
    });
    for (const address of Object.keys(table)) if (text.includes(address)) used.add(address);
    writeFileSync(join(scene.project, ".env"), "MY_MODEL_KEY=a-key-for-mine\n");
    sendProvidersTo(model, scene);
    const bin = install(scene, programs);
    const env = { ...keys, PATH: [bin, process.env["PATH"]].join(delimiter), OLLAMA_HOST: model.origin };
    const before = model.served().length;

    const ended = await scene.run(["run", "pipeline.yaml", "--json"], { env });
    expect(ended.code, `${at}\n${ended.stdout}\n${ended.stderr}`).toBe(0);
    const result = JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? "") as Result;
    expect(Object.fromEntries(result.steps.map((step) => [step.id, step.attempts.map(({ agent }) => agent)]))).toEqual(
      Object.fromEntries(ids.map((id) => [id, [id]])),
    );
    for (const id of ids) expect(scene.git("show", `${result.branch}:${id}.js`), id).not.toBe("export {};");
    // What goes through the gateway is on the bill, with whose key it was; the rest did not ask our providers for anything.
    const metered = new Set(ids.filter((id) => settings.agents[id]?.model !== undefined && settings.agents[id].credentials === undefined));
    expect(new Set(result.bill.rows.filter((row) => row.credentials === "metered").map((row) => row.agent))).toEqual(metered);
    expect(model.served().length - before > 0).toBe(metered.size > 0);
    for (const key of Object.values(keys)) expect(ended.stdout + ended.stderr).not.toContain(key);
  });

  test("no address in them is one of somebody else", () => {
    const addresses = loose.flatMap(({ text }) => [...text.matchAll(/https?:\/\/[^\s"]+/g)].map(([address]) => address));
    expect(addresses.filter((address) => !used.has(address))).toEqual([]);
  });
});

interface Result {
  branch: string;
  steps: { id: string; attempts: { agent: string }[] }[];
  bill: { rows: { agent: string; credentials: string }[] };
}

/** A step for each agent; that of the default agent asks for none. */
const pipelineFor = (ids: readonly string[], byDefault: string): string => {
  const agent = (id: string): string => (id === byDefault ? "" : `agent: ${id}, `);
  const step = (id: string): string =>
    `  ${id}: { prompt: Add a line to ${id}.js., ${agent(id)}touches: [${id}.js], outputs: [${id}.js], retry: 1 }`;
  return ["name: each", "steps:", ...ids.map(step), ""].join("\n");
};

const standIn = (kind: string, name: string): string => `"${process.execPath}" "${join(root, "test/docs/stand-in.mjs")}" ${kind} ${name}`;
const programs = {
  claude: standIn("claude", "claude"),
  codex: standIn("codex", "codex"),
  ...Object.fromEntries(["gemini", "qwen", "opencode", "my-agent"].map((name) => [name, standIn("acp", name)])),
};

const nodeAgent = `import { appendFileSync, readFileSync } from "node:fs";
const [, file] = /Add a line to (\\S+\\w)/.exec(readFileSync(0, "utf8"));
appendFileSync(file, "// by node\\n");
`;

/** An agent of another Stepfall, over A2A. */
async function serveAgent(stage: AsyncDisposableStack): Promise<string> {
  const far = stage.use(new Scene());
  // Not in the project: of that, only what is sent to it is there when it works.
  const program = join(far.folder, "agent.mjs");
  writeFileSync(program, nodeAgent);
  far.write({ "stepfall.yaml": `agents: { far: { executor: shell, command: node ${program} } }\n` });
  const { child } = far.start(["serve-agent", "far", "--token-env", "REMOTE_TOKEN", "--json"], {
    env: { REMOTE_TOKEN: keys.REMOTE_TOKEN },
  });
  if (!child.stdout) throw new Error("it has no stdout");
  for await (const line of createInterface({ input: child.stdout })) return (JSON.parse(line) as { url: string }).url;
  throw new Error("serve-agent did not start");
}

/** The agent in plain Node that comes along. */
async function serveExample(stage: AsyncDisposableStack): Promise<string> {
  const program = join(root, "examples/http-agent/server.mjs");
  const env = { PATH: dirname(process.execPath), AGENT_TOKEN: keys.AGENT_TOKEN };
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "inherit"] });
  stage.defer(() => void child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) return line.replace("listening on ", "");
  throw new Error("the example did not start");
}
