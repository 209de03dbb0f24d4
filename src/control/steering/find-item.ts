import { RequestError } from "../../setup/failure.ts";
import type { InboxRow, Store } from "../../store/index.ts";

/** With the whole id of its run, where a part of that is given which only one run has. */
async function wholeName(store: Store, given: string): Promise<string> {
  const end = given.indexOf("/");
  const part = given.slice(0, end).toLowerCase();
  const fit = part === "" ? [] : (await store.runs()).filter(({ runId }) => runId.startsWith(part) || runId.endsWith(part));
  return fit.length === 1 && fit[0] ? fit[0].runId + given.slice(end) : given;
}

/** An item by its whole name, or by any part that only one that waits has. */
export async function findItem(store: Store, given: string): Promise<InboxRow> {
  const rows = await store.listInbox();
  const exact = rows.find((r) => r.item === given);
  if (exact) return exact;
  const named = rows.filter((r) => r.item.endsWith(`/${given}`) || (given.includes("/") && r.item.endsWith(given)));
  if (named.length === 1 && named[0]) return named[0];
  const fit = given === "" ? [] : rows.filter((r) => r.item.toLowerCase().includes(given.toLowerCase()));
  if (fit.length === 1 && fit[0]) return fit[0];
  if (fit.length > 1)
    throw new RequestError(
      "USAGE",
      `${given} may be ${fit
        .slice(0, 5)
        .map((r) => r.item)
        .join(", ")}`,
      "Give more of the item's name.",
    );
  // An item that waits no more is told from one that never was.
  if (given.includes("!") && given.includes("/"))
    return { item: await wholeName(store, given), runId: "", step: "", kind: "approval", title: "", choices: [], who: [], openedAt: 0 };
  throw new RequestError("USAGE", `nothing that waits is called ${given}`, "`stepfall inbox` lists what waits.");
}
