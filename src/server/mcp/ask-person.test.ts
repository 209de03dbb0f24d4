import { afterEach, expect, test, vi } from "vitest";
import { setTimeout as delay } from "node:timers/promises";
import { askPerson } from "./ask-person.ts";
import type { Call } from "./tool.ts";

afterEach(() => void vi.useRealTimers());

const form = { message: "Ship it?", requestedSchema: { type: "object" as const, properties: {} } };
const calling = (elicitInput: () => Promise<unknown>) => {
  const said: string[] = [];
  const ctx = { mcpReq: { signal: new AbortController().signal, elicitInput } };
  return { said, call: { ctx, caller: { asks: "in-call" }, say: (text: string) => void said.push(text) } as unknown as Call };
};

test("a client hears that the call goes on for as long as its person takes, so that it does not give it up", async () => {
  vi.useFakeTimers();
  const { said, call } = calling(
    () => new Promise((resolve) => setTimeout(() => resolve({ action: "accept", content: { a: 1 } }), 61_000)),
  );
  const asked = askPerson(call, form, {});
  await vi.advanceTimersByTimeAsync(61_000);
  expect(await asked).toEqual({ kind: "replied", reply: { kind: "filled", content: { a: 1 } } });
  expect(said.length).toBeGreaterThanOrEqual(10);
  const heard = said.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toHaveLength(heard);
});

test.each(["decline", "cancel"])(
  "a person who says %s has decided nothing, and so has one whom the client could not ask",
  async (action) => {
    const nothing = { kind: "replied", reply: { kind: "unanswered" } };
    expect(await askPerson(calling(() => Promise.resolve({ action })).call, form, {})).toEqual(nothing);
    expect(await askPerson(calling(() => delay(1).then(() => Promise.reject(new Error("cannot")))).call, form, {})).toEqual(nothing);
  },
);
