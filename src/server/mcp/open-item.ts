import type { Control, InboxEntry } from "../../control/index.ts";
import type { InboxItem } from "../../domain/index.ts";
import { McpCallError } from "./errors.ts";

/** Something that waits, with the run it belongs to. */
export interface OpenItem {
  entry: InboxEntry;
  item: InboxItem;
}

/** An item that waits, by its whole name or by any part that only one has. */
export async function openItem(control: Control, given: string): Promise<OpenItem> {
  const entries = await control.inbox();
  const fit = entries.filter((e) => e.item.toLowerCase().includes(given.toLowerCase()));
  const entry = entries.find((e) => e.item === given) ?? (fit.length === 1 ? fit[0] : undefined);
  if (!entry) {
    const some = fit.slice(0, 5).map((e) => e.item);
    throw new McpCallError(
      "USAGE",
      some.length > 0 ? `${given} may be ${some.join(", ")}` : `nothing that waits is called ${given}`,
      some.length > 0 ? "Give more of the item's name." : "`inbox` lists what waits. Somebody may have answered already: get_run tells.",
    );
  }
  const item = (await control.state(entry.runId)).inbox.get(entry.item);
  if (item) return { entry, item };
  throw new McpCallError("USAGE", `${entry.item} does not wait any more`, `get_run ${entry.runId} tells what it came to.`);
}
