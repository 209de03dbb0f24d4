import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fold, formatUsd, type Recorded, type RunEvent, type Step } from "../../domain/index.ts";
import { madeUpJournal, recordedIn } from "../../domain/made-up-journal.testkit.ts";
import { agentStepOf, anyMove, anyRichPipeline, askOf, Journal, started, stepOf } from "../../domain/simulate.testkit.ts";
import { billOf, type Bill } from "../../models/index.ts";
import type { CallRow } from "../../store/index.ts";
import { block, code, duration, plain } from "./markdown.ts";
import { runReportMarkdown } from "./report.ts";

/** Calls of attempts that the journal knows, as the ledger would have them. */
interface MadeCall extends Pick<CallRow, "inputTokens" | "cachedInputTokens" | "outputTokens" | "microUsd" | "provenance" | "outcome"> {
  /** Which attempt. */
  of: number;
}
const anyCalls: fc.Arbitrary<MadeCall[]> = fc.array(
  fc.record({
    of: fc.nat(100),
    inputTokens: fc.nat(1_000_000),
    cachedInputTokens: fc.nat(1000),
    outputTokens: fc.nat(100_000),
    microUsd: fc.nat(9_000_000),
    provenance: fc.constantFrom("reported" as const, "estimated" as const, "unknown" as const),
    outcome: fc.constantFrom("ok", "ok", "failed", "refused"),
  }),
  { maxLength: 12 },
);

async function reportOf(journal: Journal, calls: readonly MadeCall[]): Promise<{ events: Recorded[]; bill: Bill; text: string }> {
  const events = recordedIn(journal);
  const attempts = events.flatMap(({ event }) => (event.type === "AttemptStarted" ? [event.data] : []));
  const rows = calls.flatMap(({ of, ...call }, i): CallRow[] => {
    const at = attempts[of % Math.max(1, attempts.length)];
    if (!at) return [];
    const who = { attempt: at.attempt, agent: at.agent, provider: "p", model: `m${of % 2}`, tier: "mid" };
    return [{ ...call, ...who, callId: `c${i}`, runId: "r1", at: i, durationMs: 1, reservedMicroUsd: 1 }];
  });
  const bill = await billOf({ calls: () => Promise.resolve(rows) }, "r1");
  return { events, bill, text: runReportMarkdown({ events, bill }) };
}

const cells = (line: string): string[] => line.slice(2, -2).split(" | ");
const section = (text: string, title: string): string => text.split(`## ${title}\n`)[1]?.split("\n## ")[0] ?? "";

describe("a run report, of made-up journals", () => {
  const given = [anyRichPipeline, fc.array(anyMove, { maxLength: 60 }), fc.boolean(), anyCalls] as const;

  test("its bill is the bill, row by row and in all, each with the event that tells it", async () => {
    await fc.assert(
      fc.asyncProperty(...given, async (pipeline, moves, end, calls) => {
        const { events, bill, text } = await reportOf(madeUpJournal(pipeline, moves, { end }), calls);
        const rows = section(text, "Cost")
          .split("\n")
          .filter((line) => line.startsWith("|"))
          .slice(2)
          .map(cells);
        if (bill.rows.length === 0) {
          expect(text).toContain("No model was called.");
          return;
        }
        const figures = (u: Bill["total"]): string[] =>
          [u.calls, u.inputTokens, u.cachedInputTokens, u.outputTokens].map(String).concat(formatUsd(u.microUsd));
        expect(rows.map((row) => row.slice(3, 8))).toEqual([...bill.rows, bill.total].map(figures));
        for (const [i, row] of bill.rows.entries()) {
          const versions = [...(rows[i]?.at(-1) ?? "").matchAll(/#v(\d+)/g)].map((m) => Number(m[1]));
          const told = versions.map((v) => events.find((e) => e.version === v)?.event);
          expect(told.map((e) => e && "attempt" in e.data && e.data.attempt)).toEqual([row.attempt]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("every link leads to an event of the journal that the report lists", async () => {
    await fc.assert(
      fc.asyncProperty(...given, async (pipeline, moves, end, calls) => {
        const { events, text } = await reportOf(madeUpJournal(pipeline, moves, { end }), calls);
        const linked = new Set([...text.matchAll(/\[v(\d+)\]\(#v(\d+)\)/g)].map((m) => (expect(m[1]).toBe(m[2]), Number(m[1]))));
        const listed = new Map([...text.matchAll(/<a id="v(\d+)"><\/a>v\1 \| [^|]+ \| (\w+) \|/g)].map((m) => [Number(m[1]), m[2]]));
        expect([...listed.keys()].toSorted((a, b) => a - b)).toEqual([...linked].toSorted((a, b) => a - b));
        for (const [version, type] of listed) expect(events.find((e) => e.version === version)?.event.type).toBe(type);
      }),
      { numRuns: 60 },
    );
  });

  test("every number in it is in the events or the bill, or counts or subtracts what is", async () => {
    await fc.assert(
      fc.asyncProperty(...given, async (pipeline, moves, end, calls) => {
        const { events, bill, text } = await reportOf(madeUpJournal(pipeline, moves, { end }), calls);
        const state = fold(events);
        const steps = [...state.steps.values()];
        const attempts = steps.flatMap((s) => s.attempts);
        const known = new Set([
          ...numbersIn(JSON.stringify([events, bill])),
          ...[...bill.rows, bill.total].flatMap((u) => numbersIn(formatUsd(u.microUsd))),
          ...[steps, steps.filter((s) => s.status === "completed"), attempts.filter((a) => a.phase === "merged")].map((l) =>
            String(l.length),
          ),
          ...steps.map((s) => String(s.attempts.length)),
          ...(state.budget === undefined ? [] : numbersIn(formatUsd(state.budget))),
          ...events.flatMap(({ event }) => (event.type === "BudgetRaised" ? numbersIn(formatUsd(event.data.limit)) : [])),
          String(bill.rows.reduce((sum, row) => sum + row.refused, 0)),
        ]);
        const took = [state, ...attempts].flatMap((x) =>
          x.startedAt !== undefined && x.endedAt !== undefined ? [duration(x.endedAt - x.startedAt)] : [],
        );
        const waits = attempts.flatMap((a) => (a.queuedMs === undefined ? [] : [duration(a.queuedMs)]));
        const said = [...took, ...waits].toSorted((a, b) => b.length - a.length).reduce((rest, d) => rest.replaceAll(d, ""), text);
        const rest = said
          .replaceAll(/<a id="v\d+"><\/a>v\d+/g, "")
          .replaceAll(/\[v\d+\]\(#v\d+\)/g, "")
          .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "")
          .replaceAll(/`[^`]*`/g, "");
        expect(numbersIn(rest).filter((n) => !known.has(n))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("the same journal and bill are the same text", async () => {
    const journal = madeUpJournal({ name: "p", steps: [agentStepOf("a"), stepOf("b", ["a"])] }, [], { end: true });
    const [one, two] = [await reportOf(journal, []), await reportOf(journal, [])];
    expect(one.text).toBe(two.text);
  });
});

const numbersIn = (text: string): string[] => [...text.matchAll(/\d+(?:\.\d+)?/g)].map((m) => m[0]);

describe("what stands in a run report", () => {
  const attempt = "r1/fix#1";
  const of = { attempt, step: "fix" };

  async function text(events: RunEvent[], more: { phase?: string; steps?: Step[] } = {}): Promise<string> {
    const journal = new Journal();
    journal.append(started({ name: "repair", steps: more.steps ?? [agentStepOf("fix")] }));
    for (const event of events) journal.append(event);
    const bill = await billOf({ calls: () => Promise.resolve([]) }, "r1");
    return runReportMarkdown({ events: recordedIn(journal), bill, ...(more.phase === undefined ? {} : { phase: more.phase }) });
  }
  const begun: RunEvent[] = [
    { type: "AttemptRouted", data: { ...of, n: 1, tier: "mid", candidates: ["coder"], reasons: ["the cheapest"] } },
    { type: "AttemptStarted", data: { ...of, agent: "coder", node: "n", epoch: 1, queuedMs: 1500 } },
  ];

  test("what failed comes first, with the evidence of its gates", async () => {
    const gates = [
      { name: "npm test", kind: "command", verdict: "refused" as const, durationMs: 2300, evidence: "1 failing\n```\nx", microUsd: 70 },
    ];
    const report = await text([
      ...begun,
      { type: "AttemptRejected", data: { ...of, gates, findings: [{ gate: "npm test", message: "it fails", evidence: "line 3" }] } },
      { type: "StepFailed", data: { step: "fix", because: "all attempts were refused" } },
    ]);
    expect(report).toContain("## Failed\n\n- `fix`: all attempts were refused [v5](#v5)");
    expect(report.indexOf("## Failed")).toBeLessThan(report.indexOf("## Steps"));
    expect(report).toContain("| npm test | command | refused | 2.3 s | $0.000070 | [v4](#v4) |");
    expect(report).toContain("````text\n1 failing\n```\nx\n````");
    expect(report).toContain("- npm test: it fails [v4](#v4)\n\n```text\nline 3\n```");
    expect(report).toContain("started 1970-01-01 00:00:01 UTC by `coder`, 1.5 s in the queue [v3](#v3)");
  });

  test("what waits for people says since when, and is gone when the run is over", async () => {
    const opened: RunEvent = {
      type: "InboxOpened",
      data: { item: "r1/fix!1", step: "fix", kind: "question", title: "Which one?", choices: [], who: [], count: 1 },
    };
    const steps = [askOf("fix")];
    expect(await text([opened], { steps })).toContain(
      "- question at `fix`: Which one? (`r1/fix!1`), since 1970-01-01 00:00:01 UTC [v2](#v2)",
    );
    expect(await text([opened, { type: "RunFinished", data: { outcome: "cancelled" } }], { steps })).not.toContain("Which one?");
  });

  test("of a phase only its steps, those of its groups too", async () => {
    const steps = [stepOf("a", [], { phase: "build" }), stepOf("b"), { ...stepOf("c"), phase: "build" }];
    const report = await text([{ type: "StepCompleted", data: { step: "a" } }], { phase: "build", steps });
    expect(report).toMatch(/^# repair, phase build\n/);
    expect(report).toContain("1 of 2 steps completed [v2](#v2)");
    expect(report).not.toContain("| `b` |");
  });

  test("nothing that agents or people wrote means anything to who shows it", async () => {
    const evil = "x](javascript:alert(1)) <script>alert(1)</script> <img src=x onerror=y> | **b** `c` https://evil.example\n# head";
    const report = await text([
      ...begun,
      { type: "AttemptFailed", data: { ...of, kind: "agent", message: evil } },
      { type: "StepFailed", data: { step: "fix", because: evil } },
      { type: "RunFinished", data: { outcome: "failed", because: evil } },
    ]);
    expect(report.replaceAll(/<a id="v\d+"><\/a>/g, "")).not.toContain("<");
    expect(report).not.toMatch(/[^\\]\]\(javascript/);
    expect(report).not.toMatch(/^# head/m);
    expect(report).not.toContain("https://evil");
  });

  test("pieces of text stay in their place, whatever they hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "`", "|", "\n", "<", "[", "]", "\\", "#", " ") }), (s) => {
        expect(plain(s)).not.toMatch(/[\n<>]|(?<!\\)(?:\\\\)*[[\]|`]/);
        expect(code(s)).not.toContain("\n");
        const [open = "", ...lines] = block(s).split("\n");
        const fence = open.replace("text", "");
        expect(lines.slice(0, -1).some((line) => line.includes(fence))).toBe(false);
        expect(lines.at(-1)).toBe(fence);
      }),
    );
  });
});
