import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunEvent } from "./events.ts";
import { fold } from "./fold.ts";

const of = { attempt: "r/a#1", step: "a" };
const begun: RunEvent[] = [
  {
    type: "RunStarted",
    data: {
      runId: "r",
      pipeline: {
        name: "p",
        steps: [
          {
            kind: "agent",
            path: "a",
            prompt: "x",
            agent: { capability: [] },
            needs: [],
            readonly: true,
            outputs: { files: [] },
            gates: [],
            setup: [],
            retry: { attempts: 1, backoffMs: 0 },
            timeoutMs: 1000,
            env: {},
            touches: [],
            priority: 0,
          },
        ],
      },
      project: "/p",
      base: "b",
      branch: "stepfall/r",
      agents: [],
      includeDirty: false,
    },
  },
  { type: "AttemptRouted", data: { ...of, n: 1, tier: "free", candidates: ["x"], reasons: [] } },
  { type: "AttemptStarted", data: { ...of, agent: "x", node: "n", epoch: 1, queuedMs: 0 } },
];
const foldOf = (events: readonly RunEvent[]) => fold([...begun, ...events].map((event, i) => ({ event, at: i, version: i + 1 })));

const put = fc.record({
  request: fc.constantFrom("1", "2", "3", "4", "5", "6"),
  key: fc.constantFrom("a", "b", "c"),
  value: fc.jsonValue(),
});

test("the board says what was written last under each key, by whom, and which version that is", () => {
  fc.assert(
    fc.property(fc.array(put, { maxLength: 30 }), (puts) => {
      const versions = new Map<string, number>();
      const events = puts.map(({ request, key, value }): RunEvent => {
        versions.set(key, (versions.get(key) ?? 0) + 1);
        return { type: "BlackboardPut", data: { ...of, request, key, value, version: versions.get(key) ?? 0 } };
      });
      const { board, steps } = foldOf(events);
      for (const [key, version] of versions) {
        const last = puts.findLast((p) => p.key === key);
        expect(board.get(key)).toMatchObject({ value: last?.value, version, ...of });
      }
      expect(board.size).toBe(versions.size);
      expect(steps.get("a")?.attempts[0]?.requests?.puts ?? 0).toBe(new Set(puts.map((p) => p.request)).size);
    }),
  );
});

test("a report is its attempt's newest; one that comes when the attempt is over changes nothing, and facts stand all the same", () => {
  const report = (request: string, text: string): RunEvent => ({ type: "AgentReported", data: { ...of, request, text } });
  const failed: RunEvent = { type: "AttemptFailed", data: { ...of, kind: "agent", message: "no" } };
  const late: RunEvent = { type: "BlackboardPut", data: { ...of, request: "3", key: "k", value: 1, version: 1 } };
  const state = foldOf([report("1", "first"), report("2", "second"), report("2", "second once more"), failed, report("4", "late"), late]);
  const [attempt] = state.steps.get("a")?.attempts ?? [];
  expect(attempt?.report?.text).toBe("second");
  expect(attempt?.requests?.reports).toBe(2);
  expect(state.board.get("k")).toMatchObject({ value: 1, attempt: of.attempt });
});
