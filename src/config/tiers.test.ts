import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadConfig } from "./load.ts";
import { resolveTier, tierAt } from "./tiers.ts";

/** Of a stepfall.yaml with nothing else around it. */
function load(text: string, more: Partial<Parameters<typeof loadConfig>[0]> = {}) {
  const loaded = loadConfig({ env: {}, home: "/nowhere", projectDir: "/nowhere", projectText: text, ...more });
  return loaded.ok ? { config: loaded.config, problems: [] } : { config: undefined, problems: loaded.problems };
}
const FIVE = "tiers: [local, tiny, small, large, frontier]\n";
const PROVIDER = "providers: { p: { url: 'http://127.0.0.1:1/v1' }, mine: { url: 'http://127.0.0.1:2/v1', local: true } }\n";

describe("tiers", () => {
  test("are three, from the cheapest up, unless the project names others", () => {
    expect(load("").config?.tiers).toEqual(["free", "mid", "premium"]);
    expect(load(FIVE).config?.tiers).toEqual(["local", "tiny", "small", "large", "frontier"]);
  });

  test("weak, base and strong mean the first, the middle and the last of whatever there is", () => {
    const agents = ["weak", "base", "strong"].map((tier) => `  ${tier}er: { executor: shell, command: x, tier: ${tier} }`);
    const tiersOf = (text: string) => load(`${text}agents:\n${agents.join("\n")}\n`).config?.agents.map((a) => a.tier);
    expect(tiersOf("")).toEqual(["free", "mid", "premium"]);
    expect(tiersOf(FIVE)).toEqual(["local", "small", "frontier"]);
    expect(tiersOf("tiers: [a, b]\n")).toEqual(["a", "a", "b"]);
    expect(tiersOf("tiers: [only]\n")).toEqual(["only", "only", "only"]);
  });

  test("a tier that a project itself calls weak or strong is that one", () => {
    expect(resolveTier("strong", ["weak", "strong", "stronger"])).toBe("strong");
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }), (tiers) => {
        for (const tier of tiers) expect(resolveTier(tier, tiers)).toBe(tier);
        expect(tiers.indexOf(tierAt("weak", tiers))).toBeLessThanOrEqual(tiers.indexOf(tierAt("base", tiers)));
        expect(tiers.indexOf(tierAt("base", tiers))).toBeLessThanOrEqual(tiers.indexOf(tierAt("strong", tiers)));
      }),
    );
  });

  test("an agent that names none is at the place its provider's price tells", () => {
    const agents =
      "agents: { a: { executor: chat, model: p/m }, b: { executor: chat, model: mine/m }, c: { executor: shell, command: x } }\n";
    expect(load(FIVE + PROVIDER + agents).config?.agents.map((a) => a.tier)).toEqual(["small", "local", "local"]);
  });

  test("one that the project does not have is refused where it stands, with those there are", () => {
    expect(load(`${FIVE}agents:\n  a: { executor: shell, command: x, tier: smal }\n`).problems).toMatchObject([
      {
        line: 3,
        col: 43,
        code: "UNKNOWN_TIER",
        message: "There is no tier `smal`",
        hint: expect.stringMatching(/^Did you mean `small`\? Tiers: local, tiny/),
      },
    ]);
    expect(load("agents: { a: { executor: shell, command: x, tier: premum } }\n").problems).toMatchObject([
      { code: "UNKNOWN_TIER", hint: "Did you mean `premium`? Tiers: free, mid, premium; or weak, base, strong" },
    ]);
    // A name of the default three means nothing where a project has others: `free` must not come to cost money.
    expect(load("tiers: [mid, premium]\nagents: { a: { executor: shell, command: x, tier: free } }\n").problems).toMatchObject([
      { code: "UNKNOWN_TIER" },
    ]);
  });

  test("rules and routing name them too, also by alias", () => {
    const { config } = load(
      `${FIVE}rules: [{ when: { type: fix }, use: { tier: strong } }]\nrouting: { entry: weak, ceiling: large, attempts: { base: 2 } }\n`,
    );
    expect(config?.routing).toMatchObject({
      rules: [{ use: { tier: "frontier" } }],
      entry: "local",
      ceiling: "large",
      attempts: { small: 2 },
    });
    const wrong =
      "rules: [{ when: { type: fix }, use: { tier: strongest } }]\nrouting: { entry: low, attempts: { high: 2 }, split: { name: b, share: 0.5, ceiling: top } }\n";
    expect(load(wrong).problems.map((p) => `${p.line}:${p.col} ${p.code}`)).toEqual([
      "1:45 UNKNOWN_TIER",
      "2:19 UNKNOWN_TIER",
      "2:42 UNKNOWN_TIER",
      "2:86 UNKNOWN_TIER",
    ]);
  });

  test.each([
    ["tiers: []", "BAD_VALUE"],
    ["tiers: [a, b, a]", "BAD_VALUE"],
    ["tiers: [Big]", "BAD_VALUE"],
    ["tiers: { names: [a] }", "WRONG_TYPE"],
  ])("%s is refused", (text, code) => {
    expect(load(text).problems.map((p) => p.code)).toEqual([code]);
  });
});

describe("agents that may be found", () => {
  const found = { catalogByDefault: true, mayBeFound: (id: string) => id === "claude-haiku-4-5" };

  test("are there where the settings or the caller want them, and never beside a model that was named", () => {
    expect(load("").config?.catalog).toBe(false);
    expect(load("", found).config?.catalog).toBe(true);
    expect(load("catalog: false", found).config?.catalog).toBe(false);
    const own = "agents: { a: { executor: shell, command: 'true' } }";
    expect(load(own, found).config?.catalog).toBe(false);
    expect(load(`${own}\ncatalog: true`, found).config?.catalog).toBe(true);
    expect(load("catalog: true").config?.catalog).toBe(true);
    expect(load("catalog: true", { flags: { model: "ollama/m" } }).config?.catalog).toBe(false);
  });

  test("can be the default agent; others that nobody knows cannot", () => {
    expect(load("default-agent: claude-haiku-4-5", found).config?.defaultAgent).toBe("claude-haiku-4-5");
    expect(load("default-agent: gpt-9", found).problems).toMatchObject([{ code: "UNKNOWN_AGENT" }]);
    expect(load("default-agent: claude-haiku-4-5\ncatalog: false", found).problems).toMatchObject([{ code: "UNKNOWN_AGENT" }]);
  });
});

test("a provider of a vendor's name at another address is not the vendor", () => {
  const vendors = (text: string, env = {}) => load(text, { env }).config?.providers.flatMap((p) => (p.isVendor ? [p.id] : []));
  expect(vendors("")).toEqual(["openai", "anthropic", "gemini"]);
  expect(vendors("providers: { anthropic: { url: 'http://127.0.0.1:1/v1' } }")).toEqual(["openai", "gemini"]);
  expect(vendors("", { OPENAI_BASE_URL: "https://models.example.com/v1" })).toEqual(["anthropic", "gemini"]);
});
