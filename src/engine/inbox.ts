import { stillWaits, type InboxItem, type RunState } from "../domain/index.ts";
import type { InboxRow, ProjectionWrite } from "../store/index.ts";

/** The rows that stand for what waits for people in a run. */
const inboxRows = (state: RunState): InboxRow[] => [...state.inbox.values()].filter(stillWaits).map((item) => rowOfItem(state, item));

function rowOfItem(state: RunState, item: InboxItem): InboxRow {
  const { step, kind, title, detail, choices, who, openedAt, expiresAt, attempt } = item;
  return { item: item.item, runId: state.runId, step, kind, title, detail, choices, who, openedAt, expiresAt, attempt };
}

/** Brings the inbox's rows from what they were to what the run says now. `shown` is changed. */
export function inboxChange(state: RunState, shown: Set<string>): [ProjectionWrite] | undefined {
  if (shown.size === 0 && state.inbox.size === 0) return undefined;
  const rows = state.status === "running" ? inboxRows(state) : [];
  const now = new Set(rows.map((r) => r.item));
  const put = rows.filter((r) => !shown.has(r.item));
  const remove = [...shown].filter((item) => !now.has(item));
  shown.clear();
  for (const item of now) shown.add(item);
  return put.length + remove.length > 0 ? [{ kind: "inbox", put, remove }] : undefined;
}
