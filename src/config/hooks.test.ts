import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "./load.ts";

let home: string;
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), "stepfall-hooks-config-"))));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** `user`: config.yaml of the user; `project`: stepfall.yaml. */
function load({ user = "", project, env = {} }: { user?: string; project?: string; env?: Record<string, string> }) {
  writeFileSync(join(home, "config.yaml"), user);
  return loadConfig({ env, home, ...(project === undefined ? {} : { projectText: project }) });
}
function config(given: Parameters<typeof load>[0]) {
  const loaded = load(given);
  if (!loaded.ok) throw new TypeError(JSON.stringify(loaded.problems));
  return loaded.config;
}
const problems = (given: Parameters<typeof load>[0]): string[] => {
  const loaded = load(given);
  return loaded.ok ? [] : loaded.problems.map((p) => `${p.code}: ${p.message}. ${p.hint}`);
};

describe("hooks in the settings", () => {
  test("a command and a webhook, with what is not said filled in", () => {
    const { hooks } = config({
      user: [
        "hooks:",
        "  - { name: tell, on: RunFinished, if: \"event.data.outcome == 'failed'\", run: ./tell.sh, secrets: [CHAT_TOKEN] }",
        '  - { on: [InboxOpened, "*"], webhook: "https://example.com/h", headers: { Authorization: "Bearer ${{ secrets.HOOK }}" }, timeout: 5s }',
        "  - { on: MergeIntended, run: ./ask.sh, veto: true }",
      ].join("\n"),
    });
    expect(hooks).toEqual([
      {
        name: "tell",
        from: "user",
        on: ["RunFinished"],
        if: "event.data.outcome == 'failed'",
        call: { kind: "command", command: "./tell.sh", secrets: ["CHAT_TOKEN"] },
        timeoutMs: 30_000,
        retries: 5,
        backoffMs: 1000,
      },
      {
        name: "hooks-2",
        from: "user",
        on: ["InboxOpened", "*"],
        call: { kind: "webhook", url: "https://example.com/h", headers: { Authorization: "Bearer ${{ secrets.HOOK }}" } },
        timeoutMs: 5000,
        retries: 5,
        backoffMs: 1000,
      },
      {
        name: "hooks-3",
        from: "user",
        on: ["MergeIntended"],
        call: { kind: "command", command: "./ask.sh", secrets: [] },
        timeoutMs: 30_000,
        retries: 0,
        backoffMs: 1000,
        veto: { onError: "refuse" },
      },
    ]);
  });

  test("what they name as a secret is masked, whatever it is called", () => {
    const { secrets } = config({
      env: { HOOK: "value-of-the-hook", ROOM: "https://chat.example/room/1", OTLP: "value-of-otlp" },
      user: [
        'hooks: [{ on: RunFinished, webhook: "https://example.com", headers: { X-A: "${{ secrets.HOOK }}" } }]',
        "notify: { webhook: { url-secret: ROOM } }",
        "telemetry: { endpoint: 'http://127.0.0.1:4318/', headers-secret: OTLP }",
      ].join("\n"),
    });
    expect(secrets.mask("value-of-the-hook https://chat.example/room/1 value-of-otlp")).toBe("*** *** ***");
  });

  test("a project that was cloned brings no hooks and no telemetry until its user trusts it", () => {
    const project = "hooks: [{ on: RunStarted, run: curl evil }]\ntelemetry: { endpoint: http://evil.example }";
    expect(problems({ project })).toEqual([
      expect.stringMatching(/^NOT_THE_PROJECTS: `hooks` of a project would run outside the sandbox.*project-hooks: allow/),
      expect.stringMatching(/^NOT_THE_PROJECTS: `telemetry` of a project/),
    ]);
    expect(problems({ project: `${project}\nproject-hooks: allow` })).toContainEqual(
      expect.stringMatching(/^NOT_THE_PROJECTS: `project-hooks` is not the project's to say/),
    );
    const trusted = config({ project, user: "project-hooks: allow\nhooks: [{ on: RunFinished, run: 'true' }]" });
    expect(trusted.hooks.map((h) => h.from)).toEqual(["project", "user"]);
    expect(trusted.telemetry).toEqual({ endpoint: "http://evil.example" });
    expect(config({ project, env: { STEPFALL_PROJECT_HOOKS: "allow" } }).hooks).toHaveLength(1);
  });

  test.each([
    ["neither command nor webhook", "{ on: RunFinished }", /either `run` or `webhook`/],
    ["both", "{ on: RunFinished, run: x, webhook: 'http://x.example' }", /either `run` or `webhook`/],
    ["a key in a header", "{ on: RunFinished, webhook: 'http://x.example', headers: { Authorization: Bearer abc } }", /LITERAL_SECRET/],
    ["a key in the address", "{ on: RunFinished, webhook: 'http://x.example/?token=abc' }", /LITERAL_SECRET/],
    ["an address that is a key itself", "{ on: RunFinished, webhook: 'https://hooks.slack.com/services/T0/B0/abcdef' }", /LITERAL_SECRET/],
    ["a signature in the address", "{ on: RunFinished, webhook: 'https://x.example/flow?sig=abc' }", /LITERAL_SECRET/],
    ["an address of another kind", "{ on: RunFinished, webhook: 'file:///etc/passwd' }", /not an http\(s\) URL/],
    ["a veto on what has happened", "{ on: RunFinished, run: x, veto: true }", /cannot refuse RunFinished/],
    ["a veto on everything", "{ on: '*', run: x, veto: true }", /cannot refuse \*/],
    ["on-error without a veto", "{ on: RunStarted, run: x, on-error: allow }", /belongs to a hook with `veto: true`/],
    ["a word of other tools", "{ events: RunStarted, run: x }", /Did you mean "?`?on/],
  ])("%s is refused", (_, hook, said) => {
    expect(problems({ user: `hooks:\n  - ${hook}` }).join("\n")).toMatch(said);
  });

  test("a part of an address that is a key may be a secret of its own", () => {
    const user = 'hooks: [{ on: RunFinished, webhook: "https://hooks.slack.com/services/${{ secrets.ROOM }}" }]';
    expect(config({ user }).hooks).toHaveLength(1);
  });

  test("who is told of what waits is the person's own choice first", () => {
    const project = "notify: { desktop: true, webhook: { url-secret: ROOM } }";
    expect(config({ user: "notify: { desktop: false }\nproject-hooks: allow", project }).notify).toEqual({
      desktop: false,
      webhookSecret: "ROOM",
    });
    expect(config({ project: "notify: { desktop: true }" }).notify).toEqual({ desktop: true });
    // Some addresses do something when they are posted to: which of the user's secrets is one is not for a project to say.
    expect(problems({ project })).toEqual([expect.stringMatching(/^NOT_THE_PROJECTS: `notify` of a project would send to an address/)]);
  });
});
