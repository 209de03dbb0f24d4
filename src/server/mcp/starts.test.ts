import { expect, test } from "vitest";
import { Starts } from "./starts.ts";

let time = 0;
const clock = { now: () => time };
const heard = new AbortController().signal;

test("a client that gave its call up, and makes it again in the same words, gets the run that was started and not a second", async () => {
  const starts = new Starts(clock, 30);
  let count = 0;
  const slow = Promise.withResolvers<{ runId: string }>();
  const begin = (): Promise<{ runId: string }> => ((count += 1), slow.promise);
  expect(await starts.join("do a", begin, heard)).toBeUndefined();
  const gone = new AbortController();
  const given = starts.join("do a", begin, gone.signal);
  gone.abort();
  await expect(given).rejects.toThrow();
  slow.resolve({ runId: "r1" });
  // It was there before the client asked again; and where another asks with it, both are told.
  expect(await Promise.all([starts.join("do a", begin, heard), starts.join("do a", begin, heard)])).toEqual([
    { runId: "r1" },
    { runId: "r1" },
  ]);
  expect(count).toBe(1);
});

test("once it was told, or other words are said, or what was refused is corrected, it is another run", async () => {
  const starts = new Starts(clock, 1000);
  let count = 0;
  const begin = (): Promise<{ runId: string }> => Promise.resolve({ runId: `r${(count += 1)}` });
  expect(await starts.join("do a", begin, heard)).toEqual({ runId: "r1" });
  expect(await starts.join("do a", begin, heard)).toEqual({ runId: "r2" });
  expect(await starts.join("do b", begin, heard)).toEqual({ runId: "r3" });
  const broken = (): Promise<{ runId: string }> => Promise.reject(new Error("no"));
  await expect(starts.join("do c", broken, heard)).rejects.toThrow("no");
  expect(await starts.join("do c", begin, heard)).toEqual({ runId: "r4" });
});

test("a run that nobody asked for again in time is not taken for another that is wanted much later", async () => {
  const starts = new Starts(clock, 1);
  const slow = Promise.withResolvers<{ runId: string }>();
  expect(await starts.join("do a", () => slow.promise, heard)).toBeUndefined();
  slow.resolve({ runId: "r1" });
  time += 601_000;
  expect(await new Starts(clock).join("do a", () => Promise.resolve({ runId: "r2" }), heard)).toEqual({ runId: "r2" });
  expect(await starts.join("do a", () => Promise.resolve({ runId: "r2" }), heard)).toEqual({ runId: "r2" });
});
