import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InboxEntry } from "../data/index.ts";
import { afterChange, choose, type ShownInbox } from "./shown.ts";

const entry = (item: string): InboxEntry => ({ item }) as InboxEntry;
const inboxOf = (items: string): InboxEntry[] => [...items].map(entry);
const never = (): boolean => false;
const read = ({ items, chosen }: ShownInbox): string =>
  items.map(({ entry: { item }, isGone }) => `${item === chosen ? "*" : ""}${item}${isGone ? "?" : ""}`).join(" ");

describe("what is shown of the inbox while somebody is about to answer", () => {
  test("an item that unblocks more comes below the one that is looked at, and is not chosen by itself", () => {
    const first = afterChange({ items: [] }, inboxOf("bc"), never);
    expect(read(first)).toBe("*b c");
    expect(read(afterChange(first, inboxOf("abc"), never))).toBe("*b a c");
  });

  test("an item that was answered elsewhere stays where it was until another is chosen, and does not hand its keys on", () => {
    const shown = afterChange(choose(afterChange({ items: [] }, inboxOf("abc"), never), "b"), inboxOf("ac"), never);
    expect(read(shown)).toBe("a *b? c");
    expect(read(choose(shown, "c"))).toBe("a *c");
  });

  test("what was answered here stays", () => {
    const shown = choose(afterChange({ items: [] }, inboxOf("abc"), never), "b");
    expect(read(afterChange(shown, inboxOf("bc"), (item) => item === "a"))).toBe("a *b c");
  });

  test("whatever comes and goes, the chosen one is chosen until somebody chooses another, nothing comes before it, and nothing is there twice", () => {
    const names = fc.uniqueArray(fc.constantFrom(..."abcdefgh"), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 8 }), names, (states, answered) => {
        let shown: ShownInbox = { items: [] };
        for (const state of states) {
          const before = shown;
          shown = afterChange(before, state.map(entry), (item) => answered.includes(item));
          const items = shown.items.map((s) => s.entry.item);
          expect(new Set(items).size).toBe(items.length);
          expect(state.every((item) => items.includes(item))).toBe(true);
          if (before.chosen !== undefined) expect(shown.chosen).toBe(before.chosen);
          else expect(shown.chosen).toBe(items[0]);
          const above = (of: ShownInbox): string[] =>
            of.items
              .map((s) => s.entry.item)
              .slice(
                0,
                of.items.findIndex((s) => s.entry.item === of.chosen),
              );
          if (before.chosen !== undefined) expect(above(before)).toEqual(expect.arrayContaining(above(shown)));
        }
      }),
    );
  });
});
