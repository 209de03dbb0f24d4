import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openLiveHub } from "./live-hub.ts";

type Item = Parameters<Parameters<ReturnType<typeof openLiveHub>["listen"]>[0]>[0];
const item = (attempt: string): Item => ({
  kind: "liveness",
  at: 1,
  attempt,
  step: "a",
  state: "running",
  since: 1,
  evidence: [],
});

/** What runs now, as `control.live` tells it: each once to whoever begins to look, and then nothing. */
function lookingAt(running: Set<string>, fails: { times: number } = { times: 0 }) {
  let open = 0;
  return {
    open: () => open,
    async *live(signal: AbortSignal): AsyncGenerator<Item, void> {
      open += 1;
      try {
        if (fails.times-- > 0) throw new Error("the store is busy");
        for (const attempt of running) yield item(attempt);
        await sleep(60_000, undefined, { signal }).catch(() => undefined);
      } finally {
        open -= 1;
      }
    },
  };
}
const soon = () => sleep(20);

test("who comes later hears what runs now, and nothing of what is over, however long somebody has listened", async () => {
  const running = new Set(["r/a#1", "r/b#1"]);
  const control = lookingAt(running);
  const hub = openLiveHub(control, () => {});
  const first: string[] = [];
  const leave = hub.listen(({ attempt }) => first.push(attempt));
  await soon();
  expect(first).toEqual(["r/a#1", "r/b#1"]);
  running.delete("r/a#1");
  const later: string[] = [];
  const leaveToo = hub.listen(({ attempt }) => later.push(attempt));
  await soon();
  expect(later).toEqual(["r/b#1"]);
  expect(control.open()).toBe(1);
  leave();
  leaveToo();
  await soon();
  expect(control.open()).toBe(0);
});

test("a look that fails is told and begun again: those who listen need not come back", async () => {
  const problems: unknown[] = [];
  const control = lookingAt(new Set(["r/a#1"]), { times: 2 });
  const hub = openLiveHub(control, (error) => problems.push(error), 5);
  const heard: string[] = [];
  const leave = hub.listen(({ attempt }) => heard.push(attempt));
  await sleep(100);
  expect(heard).toEqual(["r/a#1"]);
  expect(problems).toHaveLength(2);
  leave();
});
