import { expect, test, vi } from "vitest";
import { PendingRequests } from "./pending-requests.ts";

test("a poll that is woken often waits on, and leaves nothing behind", async () => {
  const requests = new PendingRequests();
  const until = new AbortController();
  const listeners = vi.spyOn(until.signal, "addEventListener");
  const poll = requests.next("engine", new Set(), until.signal);
  for (let n = 0; n < 50; n += 1) {
    requests.wake();
    await Promise.resolve();
  }
  until.abort();
  expect(await poll).toEqual([]);
  expect(listeners).toHaveBeenCalledTimes(1);
});
