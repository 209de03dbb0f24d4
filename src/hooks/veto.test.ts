import { describe, expect, test } from "vitest";
import type { HookSettings } from "../config/index.ts";
import { fold, type RunEvent } from "../domain/index.ts";
import { startReceiver } from "../engine/receiver.testkit.ts";
import { hook, HookHome } from "./home.testkit.ts";
import { compileHooks, createVeto } from "./index.ts";

const clock = { now: () => 1000 };
const started: RunEvent = {
  type: "RunStarted",
  data: {
    runId: "r1",
    pipeline: { name: "release", steps: [] },
    project: "/nowhere",
    base: "b",
    branch: "x",
    agents: [],
    includeDirty: false,
  },
};

/** What hooks answer that are asked before a run. */
async function ask(home: HookHome, hooks: readonly Partial<HookSettings>[], signal = new AbortController().signal) {
  const all = hooks.map((h) => hook({ on: ["RunStarted"], retries: 0, veto: { onError: "refuse" }, ...h }));
  const veto = createVeto(compileHooks(all, { desktop: false }), home.world, clock);
  return veto?.({ before: "run", event: started, state: fold([{ event: started, at: 1000, version: 1 }]) }, signal);
}
const command = (text: string, secrets: readonly string[] = []) => ({ kind: "command" as const, command: text, secrets });

describe("a hook that may refuse", { timeout: 60_000 }, () => {
  test("nothing to say is nothing on record; without such hooks nobody is asked", async () => {
    await using home = new HookHome();
    expect(await ask(home, [{ call: command("cat > /dev/null") }, { on: ["MergeIntended"], call: command("exit 1") }])).toEqual([]);
    expect(createVeto(compileHooks([hook({ on: ["RunStarted"] })], { desktop: false }), home.world, clock)).toBeUndefined();
  });

  test.each([
    ["its exit code, with its last words", "echo no >&2; echo out; exit 3", "no"],
    ["its exit code alone", "exit 3", "exit code 3"],
    ["an answer that says why", `echo '{"veto": "frozen"}'`, "frozen"],
    ["an answer that does not", `echo '{"veto": true}'`, "it gave no reason"],
    ["an answer that says more than a text", `echo '{"veto": {"rule": 7}}'`, '{"rule":7}'],
    ["the last line of what it says", `echo looking; echo '{"veto": "frozen"}'`, "frozen"],
  ])("refuses by %s", async (_, text, because) => {
    await using home = new HookHome();
    expect(await ask(home, [{ name: "guard", call: command(text) }])).toEqual([
      { hook: "guard", before: "run", verdict: "refused", because },
    ]);
  });

  test("hides secrets in its reason, and is the last that is asked", async () => {
    await using home = new HookHome();
    home.secrets.set("KEY", "the-secret-key");
    const answers = await ask(home, [
      { name: "first", call: command("echo leak $KEY >&2; exit 1", ["KEY"]) },
      { name: "second", call: command("exit 1") },
    ]);
    expect(answers).toMatchObject([{ hook: "first", because: "leak ***" }]);
  });

  test.each([
    ["hangs", command("sleep 60"), "gave no answer within 400 ms"],
    ["is not there", command("/no/such/program"), /not found/],
    ["dies", command("kill -KILL $$"), "was ended by SIGKILL"],
    ["says more than is read", command(`printf '{"pad":"%070000d","veto":"hidden at the end"}' 0`), "its answer is longer than 64 KB"],
    ["lacks its secret", command("true", ["NOT_SET"]), "the secret NOT_SET is not set here"],
  ])("that %s refuses or allows as its settings say, and either is on record", async (_, call, because) => {
    await using home = new HookHome();
    const why = typeof because === "string" ? because : (expect.stringMatching(because) as string);
    const given = { call, timeoutMs: 400 };
    expect(await ask(home, [given])).toMatchObject([{ verdict: "refused", unanswered: true, because: why }]);
    expect(await ask(home, [{ ...given, veto: { onError: "allow" } }])).toMatchObject([
      { verdict: "allowed", unanswered: true, because: why },
    ]);
  });

  test("a webhook is asked again as often as it may be; its answer says why", async () => {
    await using home = new HookHome();
    await using receiver = await startReceiver();
    let n = 0;
    receiver.answer = () => (++n < 3 ? { status: 502 } : { status: 200, body: '{"veto":"the board says no"}' });
    const call = { kind: "webhook" as const, url: receiver.url, headers: {} };
    expect(await ask(home, [{ call, retries: 2 }])).toMatchObject([{ verdict: "refused", because: "the board says no" }]);
    expect(receiver.received.map((r) => (r.body as { event: { type: string } }).event.type)).toEqual(Array(3).fill("RunStarted"));
    n = 0;
    expect(await ask(home, [{ call, retries: 1 }])).toMatchObject([{ verdict: "refused", unanswered: true, because: "HTTP 502" }]);
  });

  test("its filter sees the run that would begin; one that cannot be computed is no answer", async () => {
    await using home = new HookHome();
    const call = command("exit 1");
    expect(await ask(home, [{ if: "run.pipeline == 'other'", call }])).toEqual([]);
    expect(await ask(home, [{ if: "run.pipeline == 'release'", call }])).toMatchObject([{ verdict: "refused" }]);
    expect(await ask(home, [{ if: "event.data.nothing.there == 1", call }])).toMatchObject([{ verdict: "refused", unanswered: true }]);
  });

  test("whoever stops meanwhile does not wait for it", async () => {
    await using home = new HookHome();
    const began = performance.now();
    expect(await ask(home, [{ call: command("sleep 60") }], AbortSignal.timeout(200))).toEqual([]);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test.each([
    [{ on: ["RunFinishd"] }, "HOOK_UNKNOWN_EVENT", /Did you mean "?`?RunFinished/],
    [{ if: "steps.a.outcome == 'x'" }, "HOOK_BAD_FILTER", /event, run, step/],
    [{ if: "1 + 1" }, "HOOK_BAD_FILTER", /true or false/],
    [{ if: "event.type ==" }, "HOOK_BAD_FILTER", /./],
  ])("what could never be meant is refused: %j", (given, expected, hint) => {
    const compile = () => compileHooks([hook(given)], { desktop: false });
    expect(compile).toThrowError(expect.objectContaining({ code: expected, hint: expect.stringMatching(hint) as string }) as Error);
  });
});
