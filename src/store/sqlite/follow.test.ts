import { expect, test } from "vitest";
import type { Recorded } from "../../domain/index.ts";
import { openFollowers } from "./follow.ts";

const event = (version: number) => ({ stream: "s", version }) as Recorded;

test("an event that is committed while the follower finds nothing is not slept through", async () => {
  const recorded: Recorded[] = [];
  const followers = openFollowers(
    async (stream, after) => {
      const seen = recorded.slice(after);
      // Committed after the read looked, announced before its answer arrives.
      if (recorded.length === 0) {
        recorded.push(event(1));
        followers.wake(["s"], "us");
      }
      return seen;
    },
    () => {},
  );
  const following = followers.follow("s", { after: 0, signal: AbortSignal.timeout(5_000) });
  expect(await following.next()).toEqual({ done: false, value: event(1) });
  await following.return();
});

test("other processes are watched from before the first follower reads until the last one is gone", async () => {
  const told: (boolean | string)[] = [];
  const followers = openFollowers(
    async (stream) => (told.push(String(stream)), [event(1)]),
    (on) => told.push(on),
  );
  const forEver = { after: 0, signal: new AbortController().signal };
  const [one, two] = [followers.follow("a", forEver), followers.follow("b", forEver)];
  await one.next();
  await two.next();
  await one.return();
  expect(told).toEqual([true, "a", "b"]);
  await two.return();
  expect(told).toEqual([true, "a", "b", false]);
});
