import fc from "fast-check";
import { expect, test } from "vitest";
import { bind, evaluate, literal, parseExpression, unbound, type Lookup } from "./cel.ts";
import { celOf, escapeTemplate, parseTemplate } from "./template.ts";
import { envTemplate, fillSecrets } from "./secrets.ts";

const among =
  (variables: Record<string, unknown>): Lookup =>
  (root) =>
    variables[root];
const valueOf = (text: string, variables: Record<string, unknown> = {}): unknown => {
  const result = evaluate(text, among(variables));
  return result.ok ? result.value : result.code;
};

test("whole numbers stay whole, and compare with each other wherever they come from", () => {
  const inputs = { n: 3, f: 1.5, l: [1, 2], m: { a: "x" }, nothing: null };
  expect(valueOf("inputs.n + 1", { inputs })).toBe(4);
  expect(valueOf("inputs.n == 3 && inputs.f > 1 && 2 in inputs.l", { inputs })).toBe(true);
  expect(valueOf("inputs.l.map(x, x * 2)", { inputs })).toEqual([2, 4]);
  expect(valueOf("inputs.nothing == null", { inputs })).toBe(true);
  expect(valueOf("inputs.l.map(x, string(x)).join('-')", { inputs })).toBe("1-2");
  expect(valueOf("{'a': inputs.m, 'b': [1.5]}", { inputs })).toEqual({ a: { a: "x" }, b: [1.5] });
});

test("what cannot be computed is an answer, not an exception", () => {
  const inputs = { n: 3, m: {} };
  for (const text of [
    "inputs.m.a",
    "inputs.n + 'x'",
    "1 / 0",
    "9223372036854775807 + 1",
    "nonsense",
    "inputs.n(",
    "inputs.m.constructor",
    "'a'.length",
  ])
    expect(valueOf(text, { inputs }), text).toBe("EXPRESSION_FAILED");
});

test("ids with dashes, digits and reserved words are steps; text that looks like it is not", () => {
  const steps = { "my-step": { outcome: "failed" }, in: { outcome: "x" }, "2": { outcome: "y" }, a: { n: 5 } };
  expect(valueOf("steps.my-step.outcome + steps.in.outcome + steps.2.outcome", { steps })).toBe("failedxy");
  expect(valueOf("'steps.my-step.outcome'", { steps })).toBe("steps.my-step.outcome");
  expect(valueOf("steps.a.n - 1", { steps })).toBe(4);
  expect(valueOf("steps . my-step . outcome", { steps })).toBe("failed");
  const parsed = parseExpression("steps.my-step.outcome == steps.a-b.x + nope");
  expect(parsed.ok && parsed.expression.references.map((r) => [r.root, r.keys[0], r.at])).toEqual([
    ["steps", "my-step", 0],
    ["steps", "a-b", 25],
    ["nope", undefined, 39],
  ]);
});

test("values that double at each turn end at a limit, soon", () => {
  const start = process.cpuUsage().user;
  for (const body of ["x + x", "[x, x]", "{'a': x, 'b': x}", "(x) + x"]) {
    const text = `["abcdefgh"]${`.map(x, ${body})`.repeat(28)}`;
    expect(valueOf(text), body).toBe("EXPRESSION_TOO_COSTLY");
  }
  const l = Array.from({ length: 3000 }, (_, i) => i);
  expect(valueOf("inputs.l.map(a, inputs.l.map(b, a + b))", { inputs: { l } })).toBe("EXPRESSION_TOO_COSTLY");
  expect(valueOf("inputs.l.exists(a, inputs.l.exists(b, inputs.l.exists(c, a + b + c < 0)))", { inputs: { l } })).toBe(
    "EXPRESSION_TOO_COSTLY",
  );
  expect((process.cpuUsage().user - start) / 1000).toBeLessThan(10_000);
});

const json = fc.jsonValue({ maxDepth: 4 });
const ours = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, v: unknown) => (typeof v === "string" ? v.toWellFormed() : Object.is(v, -0) ? 0 : v)));

test("any JSON value can be written as CEL and read back", () => {
  fc.assert(
    fc.property(json, (value) => {
      const small = JSON.stringify(value).length < 5000;
      if (small) expect(valueOf(literal(value))).toEqual(fromKeys(ours(value)));
    }),
    { numRuns: 500 },
  );
});
/** Keys, too, are well-formed text afterwards. */
const fromKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(fromKeys);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([k]) => !["__proto__", "prototype", "constructor"].includes(k))
        .map(([k, v]) => [k.toWellFormed(), fromKeys(v)]),
    );
  return value;
};

test("a key that would be an object's prototype is no key", () => {
  const value = JSON.parse('{"__proto__": {"polluted": true}, "a": {"__proto__": 1, "prototype": 1, "constructor": 1, "b": 2}}') as unknown;
  expect(valueOf(literal(value))).toEqual({ a: { b: 2 } });
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("bound values hold like variables, the innermost first, and are not shown to people", () => {
  const text = "item.a + string(index) + (size(['x'].map(item, item)) == 1 ? inputs.z : '')";
  const bound = bind(text, { item: { a: "q" }, index: 2, matrix: {} });
  expect(valueOf(bound, { inputs: { z: "!" } })).toBe("q2!");
  expect(unbound(bound)).toBe(text);
  expect(valueOf(bind(bind("index", { index: 1 }), { index: 2 }))).toBe(1);
});

test("any text at all parses or has a fault with a place inside it, and evaluates to an answer", () => {
  const scraps = fc
    .array(
      fc.constantFrom(
        "inputs",
        ".",
        "a",
        "(",
        ")",
        "[",
        "]",
        "1",
        "'x'",
        "==",
        " ",
        "+",
        "-",
        "map(",
        "x,",
        "{",
        "}",
        ":",
        "?",
        "steps.a-b.c",
        "!",
        "&&",
        '"',
        "\\",
      ),
      { maxLength: 14 },
    )
    .map((a) => a.join(""));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), scraps), (text) => {
      const parsed = parseExpression(text);
      if (!parsed.ok)
        expect(parsed.at >= 0 && parsed.at <= text.length && parsed.message !== "" && parsed.hint !== "", JSON.stringify(parsed)).toBe(
          true,
        );
      evaluate(text, among({ inputs: { a: [1, "x"] } }));
      celOf(text);
      unbound(bind(text, { item: 1 }));
    }),
    { numRuns: 700 },
  );
});

test("literal text survives a template, whatever it holds", () => {
  const text = fc.array(fc.constantFrom("$", "{{", "}}", "${{", "$${{", "a", " ", "secrets.T"), { maxLength: 8 }).map((a) => a.join(""));
  fc.assert(
    fc.property(text, (literalText) => {
      const parsed = parseTemplate(escapeTemplate(literalText));
      expect(parsed).toEqual({ ok: true, parts: literalText === "" ? [] : [{ kind: "text", text: literalText }] });
    }),
  );
});

test("a secret goes where its name was written, and nowhere that a value says so", () => {
  const piece = fc.oneof(
    fc
      .array(fc.constantFrom("$", "{", "${{ secrets.T }}", "$${{ secrets.T }}", "}}", "x", "\n"), { maxLength: 4 })
      .map((a) => ({ kind: "text" as const, text: a.join("") })),
    fc.constant({ kind: "secret" as const, name: "T" }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
      const env = { A: envTemplate(pieces) };
      expect(fillSecrets(env, () => "<s3cret>")).toEqual({
        ok: true,
        env: { A: pieces.map((p) => (p.kind === "text" ? p.text : "<s3cret>")).join("") },
      });
      expect(fillSecrets(env, () => undefined).ok).toBe(!pieces.some((p) => p.kind === "secret"));
    }),
    { numRuns: 1000 },
  );
});
