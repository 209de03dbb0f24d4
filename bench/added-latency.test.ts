import { expect, test } from "vitest";
import { added, takeTurns, type CallTime } from "./added-latency.ts";

test("what a way adds is told apart from what the call itself takes, and slow moments fall on all alike", async () => {
  let n = 0;
  const made: string[] = [];
  // Every fourth round the machine is busy for 100 ms.
  const way = (name: string, extraMs: number) => ({
    name,
    call: (): Promise<CallTime> => {
      made.push(name);
      const busyMs = Math.floor(n++ / 2) % 4 === 0 ? 100 : 0;
      return Promise.resolve({ firstMs: 2 + extraMs / 2 + busyMs, endMs: 10 + extraMs + busyMs });
    },
  });
  const times = await takeTurns([way("direct", 0), way("gateway", 3)], 20, 2);
  const [direct = [], gateway = []] = [times.get("direct"), times.get("gateway")];
  expect([direct.length, gateway.length]).toEqual([20, 20]);
  expect(made.slice(0, 4)).toEqual(["direct", "gateway", "gateway", "direct"]);
  expect(added(direct, gateway)).toEqual({ p50: 3, p95: 3, first: 1.5 });
});
