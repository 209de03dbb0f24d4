import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { learnWeighing, recordsOf, type KnownPair } from "./learn.ts";
import { decidePair, leanOf, type PairWord } from "./pairs.ts";
import { settleCriterion, settleRubric, standOf, type Scores, type Stand } from "./scores.ts";
import { leadOf, reliability, weighByRecord, weightOf, withTruth, type Weighing } from "./weighing.ts";

const alike: Weighing = { weightOf: () => 1, leadAmong: () => undefined };
const weighing = (weights: Record<string, number>, lead?: string): Weighing => ({
  weightOf: (judge) => weights[judge] ?? 0,
  leadAmong: () => lead,
});

describe("a judge asked about a pair in both orders", () => {
  test("means a candidate when both answers name it, half when one is a tie, and nothing when it means a position", () => {
    const said: [PairWord, PairWord, number][] = [
      ["first", "second", 1],
      ["second", "first", -1],
      ["first", "tie", 0.5],
      ["tie", "first", -0.5],
      ["first", "first", 0],
      ["second", "second", 0],
      ["tie", "tie", 0],
      ["first", undefined, 0.5],
      [undefined, undefined, 0],
    ];
    for (const [shown, swapped, lean] of said) expect(leanOf(shown, swapped), `${shown} ${swapped}`).toBe(lean);
  });
});

const lean = fc.constantFrom(-1, -0.5, 0, 0.5, 1);
const panel = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d", "e"),
  fc.record({ lean, weight: fc.double({ min: 0, max: 3, noNaN: true }) }),
);

describe("a decision of several judges", () => {
  const leansOf = (said: Record<string, { lean: number }>, sign = 1): Map<string, number> =>
    new Map(Object.entries(said).map(([id, one]) => [id, sign * one.lean]));
  const weightsOf = (said: Record<string, { weight: number }>): Weighing =>
    weighing(Object.fromEntries(Object.entries(said).map(([id, one]) => [id, one.weight])));

  test("does not depend on which candidate is called the first", () => {
    const mirror = { first: "second", second: "first" } as const;
    fc.assert(
      fc.property(panel, (said) => {
        const rule = { weighing: weightsOf(said), agreement: 0.6 };
        const { better } = decidePair(leansOf(said), rule);
        expect(decidePair(leansOf(said, -1), rule).better).toBe(better && mirror[better]);
      }),
    );
  });

  test("is only ever for a candidate that a judge with weight is for", () => {
    fc.assert(
      fc.property(panel, (said) => {
        const { better } = decidePair(leansOf(said), { weighing: weightsOf(said) });
        const side = better === "first" ? 1 : -1;
        if (better) expect(Object.values(said).some((one) => one.weight > 0 && one.lean * side > 0)).toBe(true);
      }),
    );
  });

  test("weighs: two weak judges do not outvote a strong one, and level weights decide nothing", () => {
    const leans = new Map([
      ["strong", 1],
      ["weak", -1],
      ["weaker", -1],
    ]);
    expect(decidePair(leans, { weighing: weighing({ strong: 2, weak: 0.8, weaker: 0.6 }) })).toMatchObject({ better: "first", by: "vote" });
    expect(decidePair(leans, { weighing: alike })).toMatchObject({ better: "second" });
    const level = decidePair(leans, { weighing: weighing({ strong: 1.4, weak: 0.8, weaker: 0.6 }) });
    expect(level).toMatchObject({ by: "nobody" });
    expect(level).not.toHaveProperty("better");
  });

  test("is the lead's where it has one, and the others' where it is silent", () => {
    const rule = { weighing: weighing({ lead: 1, x: 1, y: 1 }, "lead") };
    const others: [string, number][] = [
      ["x", -1],
      ["y", -1],
    ];
    expect(decidePair(new Map([["lead", 0.5], ...others]), rule)).toMatchObject({ better: "first", by: "lead" });
    expect(decidePair(new Map([["lead", 0], ...others]), rule)).toMatchObject({ better: "second", by: "vote" });
  });

  test("counts who abstains when agreement is asked for", () => {
    const leans = new Map([
      ["a", 1],
      ["b", 0],
      ["c", 0],
    ]);
    expect(decidePair(leans, { weighing: alike }).better).toBe("first");
    expect(decidePair(leans, { weighing: alike, agreement: 2 / 3 }).by).toBe("nobody");
    expect(decidePair(new Map([...leans, ["b", 1]]), { weighing: alike, agreement: 2 / 3 }).better).toBe("first");
  });
});

describe("a judge's record", () => {
  test("a new judge is heard, a few lucky cases do not make a judge, and one that is mostly wrong has no say", () => {
    expect(reliability()).toBeCloseTo(0.7);
    expect(reliability({ right: 3, wrong: 0 })).toBeLessThan(0.78);
    expect(weightOf({ right: 900, wrong: 100 })).toBeCloseTo(Math.log(9), 1);
    expect(weightOf({ right: 10, wrong: 40 })).toBe(0);
  });

  test("grows by what became true, and not by silence", () => {
    const record = { right: 4, wrong: 2 };
    expect(withTruth(record, true, true)).toEqual({ right: 5, wrong: 2 });
    expect(withTruth(record, true, false)).toEqual({ right: 4, wrong: 3 });
    expect(withTruth(record, undefined, false)).toEqual(record);
  });

  test("a lead is better than every other by more than chance, among those who were asked", () => {
    const records = new Map([
      ["good", { right: 90, wrong: 10 }],
      ["better", { right: 92, wrong: 8 }],
      ["poor", { right: 60, wrong: 40 }],
    ]);
    expect(leadOf(records)).toBeUndefined();
    expect(leadOf(records, ["good", "poor"])).toBe("good");
    expect(leadOf(records, ["poor"])).toBeUndefined();
    expect(
      leadOf(
        new Map([
          ["lucky", { right: 3, wrong: 0 }],
          ["even", { right: 2, wrong: 1 }],
        ]),
      ),
    ).toBeUndefined();
  });
});

describe("weights learnt from pairs judged together", () => {
  /** `copies` say the same, right in 6 of 10 pairs; `good` is right in 8 of 10, independently of them. */
  const made: KnownPair[] = Array.from({ length: 100 }, (_, n) => {
    const better = n % 2 === 0 ? "first" : "second";
    const toward = better === "first" ? 1 : -1;
    const herd = Math.floor(n / 10) < 6 ? toward : -toward;
    const good = n % 10 < 8 ? toward : -toward;
    return { better, leans: new Map([["good", good], ...["c1", "c2", "c3", "c4"].map((id): [string, number] => [id, herd])]) };
  });

  test("four who err together do not outvote a better one; taken one by one by their records they would", () => {
    const dissent = new Map([["good", 1], ...["c1", "c2", "c3", "c4"].map((id): [string, number] => [id, -1])]);
    const noLead = { leadAmong: () => undefined };
    const byRecord = weighByRecord([...recordsOf(made)].map(([id, record]) => ({ id, record })));
    expect(decidePair(dissent, { weighing: { ...byRecord, ...noLead } }).better).toBe("second");
    expect(decidePair(dissent, { weighing: { ...learnWeighing(made), ...noLead } }).better).toBe("first");
  });

  test("a judge may be worth more at one kind of work", () => {
    const pairs = made.map((pair, n): KnownPair => {
      const toward = pair.better === "first" ? 1 : -1;
      const kind = n % 20 < 10 ? "code" : "prose";
      return { ...pair, kind, leans: new Map([["s", kind === "code" || n % 4 < 2 ? toward : -toward]]) };
    });
    const learnt = learnWeighing(pairs);
    expect(learnt.weightOf("s", "code")).toBeGreaterThan(learnt.weightOf("s", "prose") + 0.5);
    expect(learnt.weightOf("s", "never seen")).toBe(learnt.weightOf("s"));
  });

  test("are never negative, finite, the same for the mirrored pairs, and nothing for judges nobody asked", () => {
    const pair = fc.record({
      better: fc.constantFrom<"first" | "second">("first", "second"),
      leans: fc.dictionary(fc.constantFrom("a", "b", "c"), lean).map((said) => new Map(Object.entries(said))),
      kind: fc.constantFrom("x", "y", undefined),
    });
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 40 }), (pairs) => {
        const mirrored = pairs.map((one): KnownPair => ({
          ...one,
          better: one.better === "first" ? "second" : "first",
          leans: new Map([...one.leans].map(([id, value]) => [id, -value])),
        }));
        const [learnt, other] = [learnWeighing(pairs), learnWeighing(mirrored)];
        for (const judge of ["a", "b", "c"]) {
          const weight = learnt.weightOf(judge, "x");
          expect(weight).toBeGreaterThanOrEqual(0);
          expect(weight).toBeLessThan(10);
          expect(other.weightOf(judge, "x")).toBeCloseTo(weight, 6);
        }
        expect(learnt.weightOf("stranger", "x")).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe("a judge's scores", () => {
  const criterion = { id: "correct", text: "does what was asked" };
  const rubric = { criteria: [criterion] as [typeof criterion] };
  const scores = (score: number): Scores => new Map([["correct", { score, reason: "" }]]);
  const stand = (a: number | undefined, b: number | undefined): Stand =>
    standOf({ asWritten: a === undefined ? a : scores(a), reversed: b === undefined ? b : scores(b) }, criterion, rubric).stand;

  test("count when both orders are on the same side of what is needed, and clearly", () => {
    expect(stand(8, 9)).toBe("accept");
    expect(stand(7, 8)).toBe("accept");
    expect(stand(2, 5)).toBe("refuse");
    expect(stand(9, 6)).toBe("undecided");
    expect(stand(7, 7)).toBe("undecided");
    expect(stand(6.8, 6.6)).toBe("undecided");
    expect(stand(9, undefined)).toBe("undecided");
    expect(stand(undefined, undefined)).toBe("undecided");
  });

  test("a majority settles a criterion; silence, ties and no judges do not", () => {
    const settle = (...stands: Stand[]): Stand => settleCriterion(new Map(stands.map((one, n) => [`j${n}`, one])), alike, 2 / 3);
    expect(settle("accept")).toBe("accept");
    expect(settle("accept", "accept", "refuse")).toBe("accept");
    expect(settle("accept", "refuse", "refuse")).toBe("refuse");
    expect(settle("accept", "refuse")).toBe("undecided");
    expect(settle("accept", "undecided")).toBe("undecided");
    expect(settle("undecided")).toBe("undecided");
    expect(settle()).toBe("undecided");
    expect(settleCriterion(new Map([["j", "accept"]]), weighing({ j: 0 }), 2 / 3)).toBe("undecided");
  });

  test("nothing is accepted without the share of weight that is asked for", () => {
    const stands = fc.array(
      fc.record({ stand: fc.constantFrom<Stand>("accept", "refuse", "undecided"), weight: fc.double({ min: 0, max: 3, noNaN: true }) }),
    );
    fc.assert(
      fc.property(stands, (panel) => {
        const weights = Object.fromEntries(panel.map((one, n) => [`j${n}`, one.weight]));
        const settled = settleCriterion(new Map(panel.map((one, n) => [`j${n}`, one.stand])), weighing(weights), 2 / 3);
        const sum = (keep: Stand[]): number => panel.filter((one) => keep.includes(one.stand)).reduce((all, one) => all + one.weight, 0);
        if (settled === "accept") expect(sum(["accept"])).toBeGreaterThanOrEqual((2 / 3) * sum(["accept", "refuse", "undecided"]) - 1e-6);
        if (settled === "accept") expect(sum(["accept"])).toBeGreaterThan(0);
      }),
    );
  });

  test("a rubric is met only when all of it is, and one refused criterion refuses it", () => {
    expect(settleRubric(["accept", "accept"])).toBe("accept");
    expect(settleRubric(["accept", "undecided"])).toBe("undecided");
    expect(settleRubric(["undecided", "refuse"])).toBe("refuse");
    expect(settleRubric([])).toBe("undecided");
  });
});
