import { expect, test } from "vitest";
import { play, type Trace } from "./trace.testkit.ts";

const statesOf = (trace: Trace, repeats?: number) =>
  new Set(play(trace, repeats === undefined ? {} : { limits: { repeats } }).looks.map((look) => look.state));

test("qwen runs the same failing command over and over: stuck from the eighth time on, with the command as evidence", () => {
  const { looks, watch } = play("qwen-loop");
  expect(watch.activity.actions).toBe(14);
  const first = looks.findIndex((look) => look.state === "stuck");
  expect(first).toBeGreaterThan(0);
  expect(looks[first - 1]?.state).toBe("running");
  expect(looks[first]?.evidence[0]).toMatch(/^the same call \d+ times in a row with the same result: `run node --test nothing\.test\.js`$/);
  expect(looks.at(-1)?.evidence[0]).toContain("14 times");
  // It stays stuck: what it goes on doing is the same.
  expect(looks.slice(first).every((look) => look.state === "stuck")).toBe(true);
});

test("results that differ only by process ids are the same result", () => {
  expect(play("qwen-loop").watch.activity.tokens.every((token, _, all) => token === all[0])).toBe(true);
});

test("two calls in turn are a circle, also where their first results differ", () => {
  const { looks } = play("qwen-cycle");
  const stuck = looks.find((look) => look.state === "stuck");
  expect(stuck?.evidence[0]).toMatch(
    /^the same 2 calls in turn with the same result, \d times: `(run false|read .*)`, `(run false|read .*)`$/,
  );
});

test("gemini gives the loop up by itself, before it counts as stuck: the risk has risen meanwhile", () => {
  const { looks, watch } = play("gemini-loop");
  expect(watch.activity.actions).toBe(4);
  expect(new Set(looks.map((look) => look.state))).toEqual(new Set(["running"]));
  const values = looks.map((look) => look.risk?.factors.find((f) => f.name === "repetition")?.value ?? 0);
  expect(values.toSorted((a, b) => a - b)).toEqual(values);
  expect([values[0], values.at(-1)]).toEqual([0, 0.5]);
});

test("what gemini does not tell, the results of its commands, is not claimed to be the same", () => {
  const { looks } = play("gemini-cycle");
  expect(looks.at(-1)).toMatchObject({
    state: "stuck",
    evidence: [expect.stringMatching(/^the same 2 calls in turn, 4 times: /), expect.any(String)],
  });
});

test("edit and test in turn, each edit another one, is work: never stuck, and no risk", () => {
  for (const trace of ["gemini-edits", "qwen-edits"] as const) {
    const { looks, watch } = play(trace);
    expect(watch.activity.actions, trace).toBe(16);
    expect(statesOf(trace, 4), trace).toEqual(new Set(["running"]));
    expect(looks.at(-1)?.risk?.factors.find((f) => f.name === "repetition")?.value, trace).toBeLessThan(0.1);
  }
});

test("a command that sleeps is idle for a while, a slow model is not", () => {
  const { looks } = play("gemini-sleepy", { limits: { activeMs: 2_000, holdMs: 500 } });
  const states = looks.map((look) => look.state).filter((state, i, all) => state !== all[i - 1]);
  // The sleep of eight seconds, then an answer that its model takes six seconds for.
  expect(states).toEqual(["running", "idle", "running"]);
  const inFlight = looks.filter((look) => look.evidence.some((e) => e.includes("in flight")));
  expect(inFlight.length).toBeGreaterThan(16);
  expect(inFlight.every((look) => look.state === "running" || look.evidence[0]?.includes("nothing for"))).toBe(true);
});

test("with a shorter limit the sleep is silence", () => {
  const { looks } = play("gemini-sleepy", { limits: { activeMs: 1_000, holdMs: 500, silenceMs: 5_000 } });
  const stuck = looks.find((look) => look.state === "stuck");
  expect(stuck?.evidence).toEqual([
    expect.stringMatching(/^nothing for 5 s: the last was /),
    "its processor time is not measured",
    "the limit is 5 s",
  ]);
});
