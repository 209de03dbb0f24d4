import type { InboxEntry } from "../data/index.ts";

/** An item as the page has it. */
export interface ShownItem {
  entry: InboxEntry;
  /** It waits no more, though nobody has answered it here. */
  isGone: boolean;
}

export interface ShownInbox {
  items: readonly ShownItem[];
  /** The one that keys and buttons are about: chosen by somebody, or the first that was shown. Never another one by itself. */
  chosen?: string | undefined;
}

/**
 * What is shown after the inbox has changed. Whoever is about to answer must not find another item under their hands: what is chosen stays chosen,
 * also when it waits no more, and nothing comes before it. What was answered here stays in its place until the page is left.
 */
export function afterChange(before: ShownInbox, inbox: readonly InboxEntry[], wasAnswered: (item: string) => boolean): ShownInbox {
  const there = new Map(inbox.map((entry) => [entry.item, entry]));
  const kept = before.items.flatMap(({ entry }): ShownItem[] => {
    const now = there.get(entry.item);
    if (now) return [{ entry: now, isGone: false }];
    if (wasAnswered(entry.item)) return [{ entry, isGone: false }];
    return entry.item === before.chosen ? [{ entry, isGone: true }] : [];
  });
  const at = kept.findIndex(({ entry }) => entry.item === before.chosen);
  const head = kept.slice(0, at + 1);
  const tail = kept.slice(at + 1);
  const inHead = new Set(head.map(({ entry }) => entry.item));
  const items = [
    ...head,
    ...inbox.filter(({ item }) => !inHead.has(item)).map((entry) => ({ entry, isGone: false })),
    ...tail.filter(({ entry }) => !there.has(entry.item)),
  ];
  return { items, chosen: at === -1 ? items[0]?.entry.item : before.chosen };
}

/** What waits no more was left there for whoever looked at it. */
export const choose = (shown: ShownInbox, item: string): ShownInbox => ({
  items: shown.items.filter(({ entry, isGone }) => !isGone || entry.item === item),
  chosen: item,
});
