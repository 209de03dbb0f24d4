import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PresetId, SetupInput } from "./contract.ts";
import { presets } from "./table.ts";
import { writeSetup } from "./write.ts";

const KEY = "sf-0123456789";
const gateway = { url: "http://127.0.0.1:4321/v1", key: KEY };
const ids = Object.keys(presets) as PresetId[];
const told = (input: Partial<SetupInput>, id: PresetId) =>
  presets[id].setup({ mode: "metered", gateway, model: "stepfall", home: "/h", ...input });

describe("agents that people have", () => {
  test("are known by one name, in the table and by themselves", () => {
    for (const id of ids) expect(presets[id].id).toBe(id);
  });

  test.each(ids)("%s, metered, is told where the gateway is, with the attempt's key and the gateway's model", (id) => {
    const text = JSON.stringify(told({}, id));
    expect(text).toContain("http://127.0.0.1:4321");
    expect(text).toContain(KEY);
    expect(text).toContain("stepfall");
  });

  test.each(ids)("%s has its key in its environment or its HOME, never on its command line, which everybody can read", (id) => {
    for (const mode of presets[id].modes) {
      const { args, files } = told({ mode }, id);
      if (mode === "metered") expect(args.join(" ")).not.toContain(KEY);
      expect(files.every((file) => file.path.startsWith("/h/"))).toBe(true);
    }
  });

  test.each(ids)("%s with its own login and without the gateway is left as it is: no file, no address, no key", (id) => {
    const { env, files, args } = told({ mode: "direct", gateway: undefined, model: undefined }, id);
    expect({ env, files, args }).toEqual({ env: {}, files: [], args: [] });
  });

  test.each(ids.filter((id) => id !== "acp"))("%s with its own login is told the model that the settings name", (id) => {
    expect(JSON.stringify(told({ mode: "direct", gateway: undefined, model: "its-own" }, id))).toContain("its-own");
  });

  test.each(ids.filter((id) => presets[id].modes.includes("pass-through")))(
    "%s in pass-through is sent through the gateway by its path, with no file and no key of ours in a header",
    (id) => {
      const { env, files, args } = told({ mode: "pass-through", model: "its-own" }, id);
      expect(files).toEqual([]);
      expect(JSON.stringify([env, args])).toContain(`http://127.0.0.1:4321/k/${KEY}`);
      expect(Object.keys(env).filter((name) => /KEY|TOKEN/.test(name))).toEqual([]);
    },
  );

  test.each(ids)("%s says why a mode does not work for it", (id) => {
    const { modes, unsupported } = presets[id];
    expect(modes.length === 3 || (unsupported ?? "") !== "").toBe(true);
  });

  test("addresses are what each client wants: a version in the path, or none", () => {
    expect(told({}, "claude").env["ANTHROPIC_BASE_URL"]).toBe("http://127.0.0.1:4321");
    expect(told({}, "gemini").env["GOOGLE_GEMINI_BASE_URL"]).toBe("http://127.0.0.1:4321");
    expect(told({}, "qwen").env["OPENAI_BASE_URL"]).toBe("http://127.0.0.1:4321/v1");
    expect(told({ mode: "pass-through" }, "claude").env["ANTHROPIC_BASE_URL"]).toBe(`http://127.0.0.1:4321/k/${KEY}`);
    expect(told({}, "codex").files[0]?.content).toContain('base_url = "http://127.0.0.1:4321/v1"');
  });

  const mcp = { url: `http://127.0.0.1:4321/k/${KEY}/mcp`, folder: "/h/own" };

  test.each(ids)("%s is told of the tools of its run by its settings, or leaves that to its session", (id) => {
    for (const mode of presets[id].modes.filter((known) => known !== "direct")) {
      const { hasMcp, args, env, files } = told({ mode, mcp }, id);
      const isThere = JSON.stringify([args, env, files]).includes(mcp.url);
      expect(isThere).toBe(hasMcp === true);
      // The command line knows no session, so that there is no other way.
      if (presets[id].executor === "cli") expect(hasMcp).toBe(true);
      if (mode === "metered") expect(args.join(" ")).not.toContain(KEY);
      expect(files.every((file) => file.path.startsWith("/h/"))).toBe(true);
      expect(JSON.stringify(told({ mode }, id))).not.toContain("mcp");
    }
  });

  test("the tools of a run wait for people longer than these agents would by themselves", () => {
    expect(Number(told({ mcp }, "claude").env["MCP_TOOL_TIMEOUT"])).toBeGreaterThan(86_400_000);
    expect(told({ mcp }, "codex").files[0]?.content).toMatch(/^tool_timeout_sec = \d{6,}$/m);
    expect(told({ mcp, mode: "pass-through" }, "codex").args.join(" ")).toMatch(/mcp_servers\.stepfall\.tool_timeout_sec=\d{6,}/);
  });

  test("gemini trusts the project's own settings only where it may do everything anyway, and ours stand above them", () => {
    const trusted = told({ mcp, isFree: true }, "gemini");
    expect(trusted.env).toMatchObject({ GEMINI_CLI_TRUST_WORKSPACE: "true", GEMINI_CLI_SYSTEM_SETTINGS_PATH: trusted.files[0]?.path });
    expect(told({ mcp }, "gemini").env).not.toHaveProperty("GEMINI_CLI_TRUST_WORKSPACE");
    expect(told({ isFree: true }, "gemini").env).not.toHaveProperty("GEMINI_CLI_TRUST_WORKSPACE");
  });

  test("a model's name cannot end codex's setting early", () => {
    const content = told({ model: 'a"\nmodel_provider = "evil' }, "codex").files[0]?.content ?? "";
    expect(content.split("\n").filter((line) => line.startsWith("model_provider ="))).toEqual(['model_provider = "stepfall"']);
  });
});

describe("the files of a setup", () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), "stepfall-preset-"))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  test("are for nobody else to read, also where a further attempt finds them", async () => {
    const setup = presets.opencode.setup({ mode: "metered", gateway, model: "stepfall", home });
    await writeSetup(setup);
    await writeSetup(setup);
    const path = setup.files[0]?.path ?? "";
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ model: "stepfall/stepfall", permission: { edit: "ask" } });
  });
});
