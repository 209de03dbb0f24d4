import { join } from "node:path";
import { importSpool } from "../models/index.ts";
import type { Store } from "../store/index.ts";
import type { Surroundings } from "./surroundings.ts";
import { homeOf } from "./settings.ts";

/** Brings what the gateway metered and no engine has imported into the ledger: an engine may have died before it could. */
export async function importLeftBill(cli: Surroundings, store: Store): Promise<void> {
  await importSpool({ spoolPath: join(homeOf(cli), "gateway", "spool.ndjson"), store });
}
