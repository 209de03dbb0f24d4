import { expect, test } from "vitest";
import { parsePipeline } from "./index.ts";

const stepsOf = (text: string) => {
  const parsed = parsePipeline(text, "p.yaml");
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  return Object.fromEntries(parsed.pipeline.steps.map((s) => [s.path, s.stuck]));
};

test("what is done with an attempt that makes no progress: the step's word, then the file's, then that of the default", () => {
  expect(
    stepsOf(`
defaults: { stuck-after: 2m }
steps:
  own: { readonly: true, prompt: x, on-stuck: ask, stuck-after: 5m }
  half: { readonly: true, prompt: x, on-stuck: fail }
  up: { readonly: true, prompt: x, on-stuck: escalate }
  file: { readonly: true, prompt: x }
  command: { readonly: true, command: "true" }
`),
  ).toEqual({
    own: { move: "ask", afterMs: 300_000 },
    half: { move: "fail", afterMs: 120_000 },
    up: { move: "escalate", afterMs: 120_000 },
    file: { move: "retry", afterMs: 120_000 },
    command: { move: "retry", afterMs: 120_000 },
  });
  expect(stepsOf("steps: { a: { readonly: true, prompt: x }, b: { readonly: true, command: 'true', stuck-after: 1h } }")).toEqual({
    a: undefined,
    b: { move: "retry", afterMs: 3_600_000 },
  });
});

test.each([
  ["on-stuck: resart", "BAD_VALUE", /expected one of retry, fail, ask, escalate/],
  ["on-stuck: [retry]", "BAD_VALUE", /escalate; found a list/],
  ["stuck-after: soon", "BAD_DURATION", /soon/],
  ["stuck-after: 10ms", "BAD_DURATION", /./],
  ["no_output_timeout: 5m", "UNKNOWN_KEY", /no_output_timeout/],
])("%s is refused", (line, code, message) => {
  for (const text of [
    `steps:\n  a:\n    prompt: x\n    readonly: true\n    ${line}\n`,
    `defaults: { ${line} }\nsteps: { a: { readonly: true, prompt: x } }\n`,
  ]) {
    const parsed = parsePipeline(text, "p.yaml");
    expect(parsed).toMatchObject({ ok: false, problems: [{ code, message: expect.stringMatching(message) }] });
  }
});

test("an approval has no such key, and is told so", () => {
  const parsed = parsePipeline("steps: { a: { approve: Ship it?, on-stuck: retry } }", "p.yaml");
  expect(parsed).toMatchObject({ ok: false, problems: [{ code: "UNKNOWN_KEY", hint: "Only a step with a prompt or a command has it" }] });
});
