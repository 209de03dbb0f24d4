import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Breaker, breakerRule, type Pass } from "./breaker.ts";

const rule = { ...breakerRule, inRow: 3, openMs: 1_000, longestMs: 5_000, windowMs: 10_000, least: 10, part: 0.5 };

const pass = (breaker: Breaker, now: number): Pass => {
  const admission = breaker.admit(now);
  if (admission.kind !== "pass") throw new Error(`it waits until ${admission.until}`);
  return admission.pass;
};
const fail = (breaker: Breaker, now: number): void => breaker.failed(pass(breaker, now), now);
const succeed = (breaker: Breaker, now: number): void => breaker.succeeded(pass(breaker, now), now);

describe("a breaker", () => {
  test("opens at three failures in a row, and a success in between begins the count anew", () => {
    const breaker = new Breaker(rule);
    fail(breaker, 0);
    fail(breaker, 0);
    succeed(breaker, 0);
    fail(breaker, 0);
    fail(breaker, 0);
    expect(breaker.state).toBe("closed");
    fail(breaker, 100);
    expect(breaker.state).toBe("open");
    expect(breaker.admit(1_099)).toEqual({ kind: "wait", until: 1_100 });
  });

  test("opens where half of the last minute's calls fail though some go well in between, and forgets older ones", () => {
    const breaker = new Breaker(rule);
    for (let i = 0; i < 4; i++) {
      succeed(breaker, i);
      fail(breaker, i);
    }
    succeed(breaker, 5);
    expect(breaker.state).toBe("closed");
    fail(breaker, 6);
    expect(breaker.state).toBe("open");

    const slow = new Breaker(rule);
    for (let i = 0; i < 20; i++) {
      succeed(slow, i * 3_000);
      fail(slow, i * 3_000 + 1);
    }
    expect(slow.state).toBe("closed");
  });

  test("lets one probe through when its time is over, however many ask, and closes as soon as that is answered", () => {
    const breaker = new Breaker(rule);
    for (let i = 0; i < 3; i++) fail(breaker, 0);
    const probe = pass(breaker, 1_000);
    expect(probe.isProbe).toBe(true);
    expect(breaker.state).toBe("half-open");
    expect(breaker.admit(1_000).kind).toBe("wait");
    breaker.began(probe);
    expect(breaker.state).toBe("closed");
    expect(pass(breaker, 1_001).isProbe).toBe(false);
  });

  test("whose probe's stream breaks off after all is open again at once, for longer each time, up to a limit", () => {
    const breaker = new Breaker(rule);
    for (let i = 0; i < 3; i++) fail(breaker, 0);
    const waits: number[] = [];
    let now = 0;
    for (let i = 0; i < 4; i++) {
      waits.push(breaker.until - now);
      now = breaker.until;
      const probe = pass(breaker, now);
      breaker.began(probe);
      breaker.failed(probe, now);
      expect(breaker.state).toBe("open");
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 5_000]);
    // One answer to its end, and the next opening is a first one.
    succeed(breaker, breaker.until);
    now = 100_000;
    for (let i = 0; i < 3; i++) fail(breaker, now);
    expect(breaker.until - now).toBe(1_000);
  });

  test("whose probe was given up by its agent lets the next one probe", () => {
    const breaker = new Breaker(rule);
    for (let i = 0; i < 3; i++) fail(breaker, 0);
    breaker.released(pass(breaker, 1_000));
    expect(breaker.state).toBe("half-open");
    expect(pass(breaker, 1_000).isProbe).toBe(true);
  });

  test("learns nothing from calls that were begun before it opened: a flood of them does not lengthen the wait", () => {
    const breaker = new Breaker(rule);
    const early = Array.from({ length: 20 }, () => pass(breaker, 0));
    for (const one of early) breaker.failed(one, 10);
    expect([breaker.state, breaker.until]).toEqual(["open", 1_010]);
    const probe = pass(breaker, 1_010);
    for (const one of early) breaker.succeeded(one, 1_020);
    expect(breaker.state).toBe("half-open");
    breaker.failed(probe, 1_030);
    expect(breaker.until).toBe(3_030);
  });

  test("has never more than one probe out, lets all through while closed and none before its time, whatever happens", () => {
    const step = fc.record({
      ms: fc.nat(800),
      what: fc.constantFrom("ask", "ask", "ask", "began", "succeeded", "failed", "failed", "failed", "released"),
      which: fc.nat(1),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 200 }), (steps) => {
        const breaker = new Breaker(rule);
        const out: Pass[] = [];
        let now = 0;
        let probes = 0;
        for (const { ms, what, which } of steps) {
          now += ms;
          if (what === "ask") {
            const before = breaker.state;
            const { until } = breaker;
            const admission = breaker.admit(now);
            if (before === "closed") expect(admission.kind).toBe("pass");
            if (before === "open" && now < until) expect(admission.kind).toBe("wait");
            if (admission.kind === "wait") expect(admission.until).toBeGreaterThan(now);
            else {
              out.push(admission.pass);
              if (admission.pass.isProbe) expect((probes += 1)).toBe(1);
            }
            continue;
          }
          const [one] = out.splice(which, 1);
          if (!one) continue;
          if (what === "began") {
            breaker.began(one);
            out.push({ ...one });
          } else if (what === "released") breaker.released(one);
          else breaker[what](one, now);
          if (one.isProbe && breaker.state !== "half-open") probes = 0;
          if (one.isProbe && what === "released") probes = 0;
        }
      }),
    );
  });
});
