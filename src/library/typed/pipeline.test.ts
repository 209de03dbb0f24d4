import fc from "fast-check";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { parsePipeline, resolveStep } from "../../pipeline/index.ts";
import { LibraryError } from "../errors.ts";
import { cel, celText, expression, isExpression, literal, type Expression } from "./expression.ts";
import { input } from "./inputs.ts";
import { json } from "./json-output.ts";
import { pipeline, type OutputsOf } from "./pipeline.ts";
import { when } from "./when.ts";

const Plan = z.object({ title: z.string(), risk: z.enum(["low", "high"]), items: z.array(z.object({ file: z.string(), size: z.int() })) });

const release = pipeline(
  "release",
  { description: "Ships it", budget: 2, inputs: { version: input.string({ default: "1.0" }), dirs: input.list<string>() } },
  ({ inputs, agent, command, approve, ask, forEach, matrix }) => {
    const plan = agent("plan", {
      prompt: `Plan ${inputs.version} of ${inputs.dirs}`,
      readonly: false,
      output: json("plan.json", Plan),
      agent: { tier: "mid", capability: "edit" },
    });
    const parts = forEach("parts", plan.output.items, (item, index) => ({
      prompt: `Write ${item.file}, number ${index}`,
      outputs: [item.file],
      parallel: 2,
    }));
    const tests = matrix("tests", { node: [22, 24], os: ["linux", "mac"] }, ({ node, os }) => ({
      command: `./test ${node} ${os}`,
      readonly: true,
      needs: parts,
      failFast: false,
    }));
    const who = ask("who", { question: `Who reviews ${plan.output.title}?`, choices: ["ann", "bob"], default: "bob", after: "1h" });
    const ship = approve("ship-it", {
      title: `Ship ${inputs.version}?`,
      detail: `${plan.summary}, reviewed by ${who.output.answer}`,
      if: when.all(when.equal(plan.output.risk, "high"), when.succeeded(tests)),
      expires: "2d",
      onExpiry: "reject",
    });
    command("publish", { command: `npm version ${inputs.version}`, readonly: true, needs: ship, mayFail: true });
    command("clean", { command: `echo ${plan.outcome}`, readonly: true, finally: true });
    return { plan, reviewer: who.output.answer, passed: tests };
  },
);

test("a typed pipeline is the pipeline that the same words in YAML are", () => {
  expect(release.toYaml()).toBe(`name: release
description: Ships it
budget: 2
inputs:
  version:
    type: string
    default: "1.0"
  dirs:
    type: list
steps:
  plan:
    prompt: Plan \${{ inputs.version }} of \${{ inputs.dirs }}
    readonly: false
    agent:
      tier: mid
      capability: edit
    outputs:
      json:
        file: plan.json
        schema:
          type: object
          properties:
            title:
              type: string
            risk:
              type: string
              enum:
                - low
                - high
            items:
              type: array
              items:
                type: object
                properties:
                  file:
                    type: string
                  size:
                    type: integer
                    minimum: -9007199254740991
                    maximum: 9007199254740991
                required:
                  - file
                  - size
          required:
            - title
            - risk
            - items
  parts:
    needs:
      - plan
    foreach: \${{ steps.plan.output.items }}
    prompt: Write \${{ item.file }}, number \${{ index }}
    outputs:
      - \${{ item.file }}
    parallel: 2
  tests:
    needs:
      - parts
    matrix:
      node:
        - 22
        - 24
      os:
        - linux
        - mac
    command: ./test \${{ matrix.node }} \${{ matrix.os }}
    readonly: true
    fail-fast: false
  who:
    needs:
      - plan
    ask:
      question: Who reviews \${{ steps.plan.output.title }}?
      choices:
        - ann
        - bob
      default: bob
      after: 1h
  ship-it:
    needs:
      - plan
      - who
      - tests
    approve:
      title: Ship \${{ inputs.version }}?
      detail: \${{ steps.plan.summary }}, reviewed by \${{ steps.who.output.answer }}
      expires: 2d
      on-expiry: reject
    if: \${{ (steps.plan.output.risk == "high") && (steps.tests.outcome == "succeeded") }}
  publish:
    needs:
      - ship-it
    command: npm version \${{ inputs.version }}
    readonly: true
    may-fail: true
  clean:
    command: echo \${{ steps.plan.outcome }}
    readonly: true
    finally: true
outputs:
  plan: \${{ steps.plan.output }}
  reviewer: \${{ steps.who.output.answer }}
  passed: \${{ steps.tests.output }}
`);
  const parsed = parsePipeline(release.toYaml(), "release");
  expect(parsed).toEqual({ ok: true, pipeline: release.pipeline });
});

test("a step waits for the steps whose values it uses, and for no others", () => {
  const needs = Object.fromEntries(release.pipeline.steps.map((step) => [step.path, step.needs]));
  expect(needs).toEqual({
    plan: [],
    parts: ["plan"],
    tests: ["parts"],
    who: ["plan"],
    "ship-it": ["plan", "who", "tests"],
    publish: ["ship-it"],
    clean: ["plan", "parts", "tests", "who", "ship-it", "publish"],
  });
});

test("outputs have the types of their schemas", () => {
  interface Outputs {
    plan: z.infer<typeof Plan>;
    reviewer: "ann" | "bob";
    passed: null[];
  }
  expectTypeOf<OutputsOf<typeof release>>().toEqualTypeOf<Outputs>();
  pipeline(
    "types",
    { inputs: { n: input.integer({ default: 1 }), level: input.string({ choices: ["low", "high"] }) } },
    ({ agent, inputs, command, forEach }) => {
      expectTypeOf(inputs.n).toEqualTypeOf<Expression<number>>();
      expectTypeOf(inputs.level).toEqualTypeOf<Expression<"low" | "high">>();
      const plan = agent("plan", { prompt: "Plan", output: json("plan.json", Plan) });
      expectTypeOf(plan.output).toEqualTypeOf<Expression<z.infer<typeof Plan>>>();
      expectTypeOf(plan.output.items).toEqualTypeOf<Expression<{ file: string; size: number }[]>>();
      // @ts-expect-error -- the schema has no such key
      void plan.output.titel;
      // @ts-expect-error -- nor has an item
      forEach("each", plan.output.items, (item) => ({ prompt: `${item.path}`, readonly: true }));
      // @ts-expect-error -- "middle" is no risk
      when.equal(plan.output.risk, "middle");
      const maybe = agent("maybe", { prompt: "x", if: cel`${inputs.n} > 1`, output: json("m.json", z.object({ ok: z.boolean() })) });
      expectTypeOf(maybe.output).toEqualTypeOf<Expression<{ ok: boolean } | null>>();
      const spoken = command("spoken", {
        command: "./x",
        output: json("s.json", {
          type: "object",
          required: ["names"],
          properties: { names: { type: "array", items: { type: "string" } }, mode: { enum: ["a", "b"] } },
        }),
      });
      expectTypeOf(spoken.output).toEqualTypeOf<Expression<{ names: string[]; mode?: "a" | "b" }>>();
      const all = forEach("all", spoken.output.names, (name) => ({
        command: `./do ${name}`,
        output: json(`${name}.json`, z.object({ n: z.number() })),
      }));
      expectTypeOf(all.output).toEqualTypeOf<Expression<{ n: number }[]>>();
      const none = command("none", { command: "true", readonly: true });
      expectTypeOf(none.output).toEqualTypeOf<Expression<null>>();
      return { all };
    },
  );
  const wrong = (): void => {
    pipeline("wrong", {}, ({ command, agent }) => {
      // @ts-expect-error -- a command step needs its command
      command("a", { readonly: true });
      // @ts-expect-error -- no such key
      agent("b", { prompt: "x", readnly: true });
    });
  };
  expect(wrong).toThrow(LibraryError);
});

test("what is wrong is told as for a file, with the line of the YAML it came to", () => {
  const make = (): unknown =>
    pipeline("broken", {}, ({ agent, command }) => {
      agent("plan", { prompt: "Plan" });
      command("use", { command: "echo ${{ steps.plam.summary }}", readonly: true, ...({ retrys: 3 } as object) });
    });
  let error: unknown;
  try {
    make();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(LibraryError);
  const { code, message, problems } = error as LibraryError;
  expect(code).toBe("PIPELINE_INVALID");
  expect(problems.map((p) => p.code).sort()).toEqual(["STEP_NO_CONTRACT", "UNKNOWN_KEY", "UNKNOWN_VARIABLE"]);
  expect(message).toContain("broken:3:");
  expect(message).toContain("Did you mean `plan`?");
});

test("two steps of one id are refused", () => {
  const make = (): unknown =>
    pipeline("twice", {}, ({ command }) => [1, 2].forEach(() => command("a", { command: "true", readonly: true })));
  expect(make).toThrow("two steps are called a");
});

test("a pipeline nests another, gives it its inputs and sees its outputs", () => {
  const build = pipeline(
    "build",
    {
      inputs: { file: input.string(), level: input.integer({ default: 3 }) },
      secrets: ["TOKEN"],
      env: { CI: "1" },
      defaults: { retry: 2 },
      budget: 1,
    },
    ({ inputs, secrets, agent, command }) => {
      agent("write", { prompt: `Write ${inputs.file} at ${inputs.level}`, outputs: [inputs.file], env: { TOKEN: secrets.TOKEN ?? "" } });
      const check = command("check", {
        command: `./check ${inputs.file}`,
        needs: "write",
        output: json("check.json", z.object({ done: z.boolean() })),
      });
      return { done: check.output.done };
    },
  );
  const around = pipeline("around", { inputs: { files: input.list({ default: ["a.js"] }) } }, ({ inputs, nested, forEach, command }) => {
    const one = nested("one", { pipeline: build, with: { file: "x.js" }, repeat: { until: ({ done }) => when.equal(done, true), max: 3 } });
    expectTypeOf(one.output).toEqualTypeOf<Expression<{ done: boolean }>>();
    const all = forEach("all", inputs.files, (file) => ({ pipeline: build, with: { file, level: 1 }, max: 5 }));
    expectTypeOf(all.output).toEqualTypeOf<Expression<{ done: boolean }[]>>();
    command("last", { command: `echo ${one.output.done} ${when.size(all.output)}`, readonly: true });
    return { all };
  });
  const [one, all, last] = around.pipeline.steps;
  expect(around.pipeline.secrets).toEqual(["TOKEN"]);
  expect(last?.needs).toEqual(["one", "all"]);
  expect(one).toMatchObject({
    kind: "group",
    budget: 1_000_000,
    env: { CI: "1" },
    body: {
      kind: "pipeline",
      with: { file: "x.js", level: 3 },
      repeat: { until: "steps.check.output.done == true", most: 3 },
      pipeline: {
        outputs: { done: "steps.check.output.done" },
        steps: [
          { path: "write", retry: { attempts: 2 } },
          { path: "check", needs: ["write"] },
        ],
      },
    },
  });
  expect(all).toMatchObject({
    kind: "group",
    body: { kind: "each", most: 5, step: { body: { with: { file: "${{ item }}", level: 1 } } } },
  });
  const missing = (): unknown => pipeline("missing", {}, ({ nested }) => void nested("a", { pipeline: build }));
  expect(missing).toThrow("missing: a: build needs the input file");
});

test("a repeated pipeline may say which round it is, and alone it is none", () => {
  const loop = pipeline("loop", {}, ({ round, command }) => void command("try", { command: `./try ${round}`, readonly: true }));
  expect(() => loop.pipeline).toThrow("`round`");
  const around = pipeline(
    "around",
    {},
    ({ nested }) => void nested("again", { pipeline: loop, repeat: { until: { command: "npm test" }, max: 2 } }),
  );
  expect(around.pipeline.steps).toHaveLength(1);
});

test("any text that is marked as literal arrives as it is, also right before a value", () => {
  const text = fc.string({ unit: fc.constantFrom("$", "{", "}", "a", "\n", '"', ":", "#", " ") });
  const scope = { inputs: { n: 1 }, steps: {}, run: { id: "run", branch: "b" } };
  fc.assert(
    fc.property(text, (said) => {
      const made = pipeline("text", { inputs: { n: input.integer({ default: 1 }) } }, ({ agent, inputs }) => {
        agent("a", { prompt: `Do ${literal(said)}${inputs.n}`, readonly: true });
      });
      const [step] = made.pipeline.steps;
      const resolved = step && resolveStep(step, scope);
      expect(resolved).toMatchObject({ ok: true, run: true, step: { prompt: `Do ${said}1` } });
    }),
  );
});

test("whatever the ids and the references, a step needs exactly the steps it uses", () => {
  const word = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/);
  const steps = fc.uniqueArray(fc.tuple(word, fc.array(fc.nat(20), { maxLength: 3 }), fc.boolean()), {
    minLength: 1,
    maxLength: 8,
    selector: ([id]) => id,
  });
  fc.assert(
    fc.property(steps, (plan) => {
      const wanted = new Map<string, string[]>();
      const made = pipeline("any", {}, ({ command }) => {
        const before: ReturnType<typeof command>[] = [];
        for (const [id, uses, isCondition] of plan) {
          const used = [...new Set(before.length === 0 ? [] : uses.map((n) => before[n % before.length]))].filter(
            (step) => step !== undefined,
          );
          const [first, ...rest] = used;
          const inCondition = isCondition && first ? { if: when.succeeded(first) } : {};
          const text = (isCondition ? rest : used).map((step) => `${step.summary}`).join(" ");
          before.push(command(id, { command: `echo ${text}`, readonly: true, ...inCondition }));
          wanted.set(id, used.map((step) => step.id).sort());
        }
      });
      expect(made.pipeline.steps.map((step) => step.path)).toEqual(plan.map(([id]) => id));
      for (const step of made.pipeline.steps) expect([...step.needs].sort()).toEqual(wanted.get(step.path));
    }),
  );
});

test("an expression is a text wherever a text is wanted, and no promise", async () => {
  const field = expression<{ "a-b": string[]; in: number }>("steps.x.output");
  expect(`${field["a-b"][0]}`).toBe('${{ steps.x.output["a-b"][0] }}');
  expect(String(field.in)).toBe('${{ steps.x.output["in"] }}');
  expect(JSON.stringify({ field })).toBe('{"field":"${{ steps.x.output }}"}');
  expect(isExpression(await Promise.resolve(field))).toBe(true);
  expect(celText({ list: [field, "a\nb", 1, null] })).toBe('{"list": [steps.x.output, "a\\nb", 1, null]}');
  expect(`${cel<number>`size(${["a"]}) + ${when.size(field["a-b"])}`}`).toBe('${{ size(["a"]) + (size(steps.x.output["a-b"])) }}');
});

test("a schema that JSON cannot hold is refused where it is written", () => {
  expect(() => json("when.json", z.object({ at: z.date() }))).toThrow(LibraryError);
});

test("what a step uses is found in plain CEL and in texts of one's own, and explicit needs are kept", () => {
  const made = pipeline("plain", {}, ({ command }) => {
    command("a-1", { command: "true", readonly: true });
    command("b", { command: "true", readonly: true });
    command("c", { command: "true", readonly: true, if: "steps.a-1.outcome == 'succeeded' && steps['b'].outcome != 'failed'" });
    command("d", { command: "echo ${{ steps.b.summary }} # steps.c is only spoken of", readonly: true, needs: ["a-1"] });
    command("e", { command: "true", readonly: true, needs: "b", finally: true });
  });
  expect(made.pipeline.steps.map((step) => step.needs)).toEqual([[], [], ["a-1", "b"], ["a-1", "b"], ["b"]]);
});
