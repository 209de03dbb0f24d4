import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatProblems, loadConfig, type Config, type ConfigProblem, type LoadConfigRequest } from "./index.ts";

let root: string;
let home: string;
let projectDir: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stepfall-config-"));
  home = join(root, "home");
  projectDir = join(root, "project");
  mkdirSync(home);
  mkdirSync(projectDir);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const project = (text: string): void => writeFileSync(join(projectDir, "stepfall.yaml"), text);
const user = (text: string): void => writeFileSync(join(home, "config.yaml"), text);

function load(request: Partial<LoadConfigRequest> = {}): Config {
  const loaded = loadConfig({ env: {}, home, projectDir, ...request });
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  return loaded.config;
}

function problemsOf(request: Partial<LoadConfigRequest> = {}): ConfigProblem[] {
  const loaded = loadConfig({ env: {}, home, projectDir, ...request });
  return loaded.ok ? [] : loaded.problems;
}
const codes = (problems: ConfigProblem[]): string[] => problems.map((p) => `${p.line}:${p.col} ${p.code}`);

describe("precedence", () => {
  test("a flag beats the environment, that the project, that the user's file, that the default", () => {
    expect(load({ cores: 6 }).slots).toBe(6);
    expect(load({ cores: 1 }).slots).toBe(2);
    user("slots: 3");
    expect(load().slots).toBe(3);
    project("slots: 4");
    expect(load().slots).toBe(4);
    expect(load({ env: { STEPFALL_SLOTS: "5" } }).slots).toBe(5);
    expect(load({ env: { STEPFALL_SLOTS: "5" }, flags: { slots: "7" } }).slots).toBe(7);
  });

  test("every setting remembers where it came from", () => {
    user("grace: 1m\nagents:\n  fixer: { executor: shell, command: ./fix.sh }\n");
    project("# first line\nsetup: [npm ci]\n");
    const { origins, graceMs, setup } = load({ env: { STEPFALL_SLOTS: "5" } });
    expect(graceMs).toBe(60_000);
    expect(setup).toEqual(["npm ci"]);
    expect(origins["slots"]).toEqual({ kind: "environment", name: "STEPFALL_SLOTS" });
    expect(origins["setup"]).toEqual({ kind: "project", file: join(projectDir, "stepfall.yaml"), line: 2 });
    expect(origins["agents.fixer"]).toEqual({ kind: "user", file: join(home, "config.yaml"), line: 3 });
    expect(origins["protected"]).toEqual({ kind: "default" });
  });

  test("maps are joined by name, and an entry of the project replaces the user's", () => {
    user("agents:\n  a: { executor: shell, command: user-a }\n  b: { executor: shell, command: user-b }\n");
    project("agents:\n  c: { executor: shell, command: project-c }\n  a: { executor: shell, command: project-a }\n");
    expect(load().agents.map((a) => a.executor === "shell" && `${a.id}=${a.command}`)).toEqual(["c=project-c", "a=project-a", "b=user-b"]);
  });

  test("the project's text can be the base commit's instead of the file on disk", () => {
    project("slots: 9");
    expect(load({ projectText: "slots: 4" }).slots).toBe(4);
    expect(load({ projectText: null, cores: 3 }).slots).toBe(3);
  });
});

describe("agents and providers", () => {
  const WHOLE = `
slots: 4
grace: 30s
protected: ["test/**"]
agents:
  coder:
    executor: chat
    model: local/qwen3-coder
    tier: strong
    capabilities: [edit, web_search]
    account: my-account
    maxOutputTokens: 1000
    maxTurns: 5
  plain: { executor: chat, model: local/qwen/qwen3:8b }
  linter: { executor: shell, command: "./fix.sh" }
providers:
  local: { url: "http://127.0.0.1:11434/v1/", key-env: LOCAL_KEY, local: true, prices: { "qwen3-coder": { input: 0.2, cached-input: 0.02, output: 0.8 } } }
accounts:
  my-account: { slots: 2 }
default-agent: coder
`;

  test("the whole format is understood, with its defaults", () => {
    project(WHOLE);
    const config = load({ env: { LOCAL_KEY: "abcdefgh" } });
    expect(config.agents).toEqual([
      {
        id: "coder",
        executor: "chat",
        provider: "local",
        model: "qwen3-coder",
        tier: "premium",
        capabilities: ["edit", "web_search"],
        account: "my-account",
        maxOutputTokens: 1000,
        maxTurns: 5,
      },
      {
        id: "plain",
        executor: "chat",
        provider: "local",
        model: "qwen/qwen3:8b",
        tier: "free",
        capabilities: ["edit"],
        account: "local",
        maxOutputTokens: 8192,
        maxTurns: 50,
      },
      { id: "linter", executor: "shell", command: "./fix.sh", tier: "free", capabilities: ["edit"], account: "linter" },
    ]);
    expect(config.providers.find((p) => p.id === "local")).toEqual({
      id: "local",
      url: "http://127.0.0.1:11434/v1",
      protocols: ["chat"],
      bases: { chat: "http://127.0.0.1:11434/v1" },
      keyEnv: "LOCAL_KEY",
      isLocal: true,
      isVendor: false,
      prices: { "qwen3-coder": { input: 200_000, cachedInput: 20_000, output: 800_000 } },
      ready: { ok: true },
    });
    expect(config.accountSlots).toEqual({ "my-account": 2 });
    expect(config.defaultAgent).toBe("coder");
    expect(config.secrets.get("LOCAL_KEY")).toBe("abcdefgh");
  });

  test("a provider without its key is known, and says which variable is missing", () => {
    project(WHOLE);
    const { ready } = load().providers.find((p) => p.id === "local") ?? {};
    expect(ready).toMatchObject({ ok: false, problem: "The provider local has no key: LOCAL_KEY is not set" });
  });

  test("built-in providers are found from the environment", () => {
    const env = {
      OPENAI_API_KEY: "sk-openai",
      OPENAI_BASE_URL: "http://127.0.0.1:9/v1/",
      GOOGLE_API_KEY: "g-key-123",
      OLLAMA_HOST: "0.0.0.0:9999",
      LOCALAI_URL: "http://localai:8080",
    };
    const providers = load({ env }).providers;
    expect(providers.map((p) => [p.id, p.url, p.keyEnv, p.isLocal, p.ready.ok])).toEqual([
      ["openai", "http://127.0.0.1:9/v1", "OPENAI_API_KEY", false, true],
      ["anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", false, false],
      ["gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GOOGLE_API_KEY", false, true],
      ["ollama", "http://127.0.0.1:9999/v1", undefined, true, true],
      ["localai", "http://localai:8080/v1", undefined, true, true],
    ]);
  });

  test.each([
    [undefined, "http://127.0.0.1:11434/v1"],
    ["box", "http://box:11434/v1"],
    [":5000", "http://127.0.0.1:5000/v1"],
    ["[::1]:5000", "http://[::1]:5000/v1"],
    ["https://ollama.example", "https://ollama.example:443/v1"],
    ["http://box:1/base/", "http://box:1/base/v1"],
  ])("OLLAMA_HOST=%s is called at %s", (host, url) => {
    expect(load({ env: { OLLAMA_HOST: host } }).providers.find((p) => p.id === "ollama")?.url).toBe(url);
  });

  test("prices can be added to a built-in provider without repeating its URL", () => {
    project("providers:\n  openai: { prices: { m: { input: 1, output: 2 } } }\n");
    expect(load().providers.find((p) => p.id === "openai")).toMatchObject({
      url: "https://api.openai.com/v1",
      keyEnv: "OPENAI_API_KEY",
      prices: { m: { input: 1e6, cachedInput: 1e6, output: 2e6 } },
    });
  });

  test("a URL of one's own for a built-in name does not get that name's key unless the file says so", () => {
    project("providers:\n  openai: { url: 'http://elsewhere/v1' }\n");
    expect(load({ env: { OPENAI_API_KEY: "sk-openai" } }).providers.find((p) => p.id === "openai")).toMatchObject({
      url: "http://elsewhere/v1",
      keyEnv: undefined,
    });
  });
});

describe("--model", () => {
  test("registers the agent `chat` and makes it the default, without any file", () => {
    const config = load({ flags: { model: "openai/gpt-5-mini" }, env: { OPENAI_API_KEY: "sk-openai" } });
    expect(config.agents).toMatchObject([{ id: "chat", executor: "chat", provider: "openai", model: "gpt-5-mini", tier: "mid" }]);
    expect(config.defaultAgent).toBe("chat");
    expect(config.origins["agents.chat"]).toEqual({ kind: "flag", name: "--model" });
  });

  test("with a URL makes the provider too; only STEPFALL_MODEL_KEY is sent there", () => {
    const env = { OPENAI_API_KEY: "sk-openai", STEPFALL_MODEL: "openai/m", STEPFALL_MODEL_URL: "http://127.0.0.1:1/v1" };
    expect(load({ env }).providers.find((p) => p.id === "openai")).toMatchObject({
      url: "http://127.0.0.1:1/v1",
      keyEnv: undefined,
      isLocal: false,
    });
    const withKey = load({ env: { ...env, STEPFALL_MODEL_KEY: "my-own-key" } });
    expect(withKey.providers.find((p) => p.id === "openai")?.keyEnv).toBe("STEPFALL_MODEL_KEY");
    expect(withKey.secrets.mask("my-own-key")).toBe("***");
    expect(load({ flags: { model: "local/m", modelUrl: "http://127.0.0.1:1/v1" } }).agents[0]?.tier).toBe("free");
  });

  test("a wrong one is refused by the flag's name", () => {
    expect(problemsOf({ flags: { model: "gpt-5" } })).toMatchObject([{ file: "--model", code: "BAD_MODEL" }]);
    expect(problemsOf({ flags: { model: "opnai/gpt-5" } })).toMatchObject([{ code: "UNKNOWN_PROVIDER", hint: "Did you mean `openai`?" }]);
    expect(problemsOf({ env: { STEPFALL_MODEL_URL: "http://x/v1" } })).toMatchObject([{ file: "$STEPFALL_MODEL_URL", code: "BAD_MODEL" }]);
    const leaking = problemsOf({ flags: { model: "local/m", modelUrl: "http://user:hunter22@x/v1" } });
    expect(leaking).toMatchObject([{ file: "--model-url", code: "BAD_URL" }]);
    expect(formatProblems(leaking)).not.toContain("hunter22");
  });
});

describe("problems", () => {
  test("all are answered at once, with their places", () => {
    project(`slots: 0
agnets: {}
grace: soon
agents:
  a: { executor: function, model: x/y }
  b: { executor: chat, model: nobody/m }
  c: { executor: chatt }
  D: { executor: shell, command: x }
slotss: 1
tiers: {}
`);
    expect(codes(problemsOf())).toEqual([
      "1:8 BAD_VALUE",
      "2:1 UNKNOWN_KEY",
      "3:8 BAD_DURATION",
      "5:18 NOT_SUPPORTED_YET",
      "7:18 BAD_VALUE",
      "8:3 BAD_ID",
      "9:1 UNKNOWN_KEY",
      "10:8 WRONG_TYPE",
    ]);
    project("agents:\n  coder: { executor: shell, command: x }\ndefault-agent: codr\n");
    expect(problemsOf()).toMatchObject([{ line: 3, col: 16, code: "UNKNOWN_AGENT", hint: "Did you mean `coder`?" }]);
    project("agents:\n  b: { executor: chat, model: opennai/m }\ndefault-agent: b\n");
    expect(problemsOf()).toMatchObject([{ line: 2, col: 31, code: "UNKNOWN_PROVIDER", hint: "Did you mean `openai`?" }]);
  });

  test.each(["function"])("the executor %s is not supported yet, by name", (executor) => {
    project(`agents:\n  a: { executor: ${executor} }\n`);
    expect(problemsOf()).toMatchObject([
      {
        code: "NOT_SUPPORTED_YET",
        line: 2,
        col: 18,
        message: `agents.a.executor: \`${executor}\` in an agent is not supported yet`,
      },
    ]);
  });

  test.each([
    "providers:\n  p: { url: 'http://x/v1', key: sk-literal-secret-123 }",
    "providers:\n  p: { url: 'http://x/v1', api-key: sk-literal-secret-123 }",
    "providers:\n  p: { url: 'http://x/v1', apiKey: sk-literal-secret-123 }",
    "providers:\n  p: { url: 'http://x/v1', key-env: sk-literal-secret-123 }",
    "providers:\n  p: { url: 'http://me:sk-literal-secret-123@x/v1' }",
    "providers:\n  p: { url: 'http://x/v1?key=sk-literal-secret-123' }",
    "agents:\n  a: { executor: chat, model: openai/x, token: sk-literal-secret-123 }",
    "password: sk-literal-secret-123",
  ])("a literal key is refused, and never printed: %s", (text) => {
    project(text);
    const problems = problemsOf();
    expect(problems.map((p) => p.code)).toEqual(["LITERAL_SECRET"]);
    expect(formatProblems(problems, text)).not.toContain("literal-secret");
  });

  test("PostgreSQL is not supported yet, by name", () => {
    expect(problemsOf({ env: { STEPFALL_DATABASE_URL: "postgres://u:p@h/d" } })).toMatchObject([
      { code: "NOT_SUPPORTED_YET", message: "PostgreSQL is not supported yet", file: "$STEPFALL_DATABASE_URL" },
    ]);
  });

  test("a bad variable is called by its name", () => {
    expect(problemsOf({ env: { STEPFALL_SLOTS: "many", STEPFALL_GRACE: "x" } }).map((p) => p.file)).toEqual([
      "$STEPFALL_SLOTS",
      "$STEPFALL_GRACE",
    ]);
    expect(problemsOf({ env: { STEPFALL_DEFAULT_AGENT: "x" } })).toMatchObject([
      { code: "UNKNOWN_AGENT", file: "$STEPFALL_DEFAULT_AGENT" },
    ]);
  });

  test("settings that are no map, and a provider without a URL", () => {
    project("- a");
    expect(codes(problemsOf())).toEqual(["1:1 NOT_A_MAP"]);
    project("providers:\n  p: { local: true }\n");
    expect(codes(problemsOf())).toEqual(["2:6 MISSING_KEY"]);
  });

  test("missing and empty files hold no settings", () => {
    expect(load().agents).toEqual([]);
    project("# nothing yet\n");
    user("");
    expect(
      load()
        .files.slice(0, 2)
        .map((f) => f.isThere),
    ).toEqual([true, true]);
  });
});

describe("secrets", () => {
  test("come from the environment, then the dotenv file, then the home", () => {
    project("dotenv: .env\n");
    writeFileSync(join(projectDir, ".env"), "A_KEY=from-dotenv\nB_KEY='from dotenv too'\n");
    writeFileSync(join(home, "secrets"), "A_KEY=from-home\nC_KEY=from-home-too\n", { mode: 0o600 });
    const { secrets } = load({ env: { D_TOKEN: "from-env", A_KEY: "env-wins" } });
    expect(["A_KEY", "B_KEY", "C_KEY", "D_TOKEN"].map((n) => secrets.get(n))).toEqual([
      "env-wins",
      "from dotenv too",
      "from-home-too",
      "from-env",
    ]);
    // The value that lost is a secret all the same.
    expect(secrets.mask("env-wins from-dotenv from-home from-home-too from-env")).toBe("*** *** *** *** ***");
  });

  test("a file of secrets that others can read is refused", () => {
    writeFileSync(join(home, "secrets"), "A_KEY=abcdefgh\n", { mode: 0o600 });
    expect(load().secrets.get("A_KEY")).toBe("abcdefgh");
    for (const mode of [0o640, 0o604, 0o622]) {
      chmodSync(join(home, "secrets"), mode);
      expect(problemsOf()).toMatchObject([{ code: "SECRETS_EXPOSED", file: join(home, "secrets") }]);
    }
  });

  test("a dotenv file that is not there is noted, not refused; one outside the project is refused", () => {
    project("dotenv: .env\n");
    expect(load().files).toContainEqual({ path: join(projectDir, ".env"), isThere: false });
    for (const bad of ["../.env", "/etc/passwd", "~/.aws/credentials"]) {
      project(`dotenv: ${bad}\n`);
      expect(codes(problemsOf())).toEqual(["1:9 BAD_PATH"]);
    }
    project("");
    writeFileSync(join(root, "mine"), "X_KEY=abcdefgh\n");
    user(`dotenv: ${join(root, "mine")}\n`);
    expect(load().secrets.get("X_KEY")).toBe("abcdefgh");
  });

  test("variables of the environment that are no secrets are not masked; passwords in URLs are", () => {
    const env = {
      NODE_ENV: "production",
      PATH: "/usr/bin:/bin",
      PWD: "/home/somebody",
      DATABASE_URL: "postgres://u:hunter%2F22@h/d",
    };
    expect(load({ env }).secrets.mask("production /usr/bin:/bin /home/somebody hunter%2F22 hunter/22")).toBe(
      "production /usr/bin:/bin /home/somebody *** ***",
    );
  });

  test("a malformed line is refused with its number", () => {
    writeFileSync(join(home, "secrets"), "A_KEY=abcdefgh\nnonsense\n", { mode: 0o600 });
    const problems = problemsOf();
    expect(codes(problems)).toEqual(["2:1 BAD_VALUE"]);
    expect(formatProblems(problems)).not.toContain("nonsense");
  });

  test("printing the whole configuration shows none", () => {
    const config = load({ env: { OPENAI_API_KEY: "sk-very-secret" } });
    expect(JSON.stringify(config)).not.toContain("very-secret");
  });
});
