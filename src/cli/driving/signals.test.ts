import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import { onInterrupts } from "./signals.ts";

function scene(running = 2) {
  const source = new EventEmitter();
  const notes: string[] = [];
  let now = 1000;
  const interrupts = onInterrupts(source, { graceMs: 30_000, now: () => now });
  interrupts.watch({ running, note: (text) => notes.push(text) });
  return {
    notes,
    interrupts,
    source,
    press(afterMs: number) {
      now += afterMs;
      source.emit("SIGINT");
    },
    get is() {
      return { drain: interrupts.drain.aborted, stop: interrupts.stop.aborted };
    },
  };
}

test("the first Ctrl-C drains, the second stops", () => {
  const s = scene();
  s.press(0);
  expect(s.is).toEqual({ drain: true, stop: false });
  expect(s.notes).toEqual(["finishing 2 attempts (up to 30 s); Ctrl-C again to stop now"]);
  s.press(1000);
  expect(s.is).toEqual({ drain: true, stop: true });
  s.interrupts[Symbol.dispose]();
  expect(s.source.eventNames()).toEqual([]);
});

test("one key that arrives twice, from the terminal and from npm, is one", () => {
  const s = scene();
  s.press(0);
  s.press(40);
  expect(s.is).toEqual({ drain: true, stop: false });
  s.interrupts[Symbol.dispose]();
});

test.each(["SIGTERM", "SIGHUP"] as const)("%s stops at once", (signal) => {
  const s = scene();
  s.source.emit(signal);
  expect(s.is).toEqual({ drain: true, stop: true });
  s.interrupts[Symbol.dispose]();
});

test("when the grace time is over, what still runs is stopped", () => {
  vi.useFakeTimers();
  try {
    const s = scene();
    s.press(0);
    vi.advanceTimersByTime(29_999);
    expect(s.is.stop).toBe(false);
    vi.advanceTimersByTime(1);
    expect(s.is.stop).toBe(true);
    s.interrupts[Symbol.dispose]();
  } finally {
    vi.useRealTimers();
  }
});
