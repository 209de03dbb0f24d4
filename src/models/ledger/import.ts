import type { CallRow, Store } from "../../store/index.ts";
import { isGatewayAlive, readSpool, settledAsUnknown, spoolIdOf, type SettledCall, type SpoolReading } from "../gateway/index.ts";

export interface ImportOptions {
  /** `GatewayClient.spool`. */
  spoolPath: string;
  store: Pick<Store, "commit" | "offset">;
}

export interface Imported {
  /** Rows handed to the store; those it had already are among them. */
  calls: number;
  /** Of these, calls whose gateway died before it settled them. */
  unknown: number;
  /** Calls reserved and still under way. */
  open: number;
}

/** Rows of one transaction. */
const batch = 2_000;

/**
 * Brings the ledger up to the spool: rows and the new offset are committed together, and a call id is imported once, so a crash between, an
 * import by two engines at once, or reading a stretch twice changes nothing.
 *
 * A call that was reserved and not settled is left for later while its gateway lives: the offset does not pass it. When its gateway is gone
 * it is imported as `unknown` at its reservation. That is final: nobody can settle it any more, and the next gateway writes the very same
 * figures into the spool when it starts.
 */
export async function importSpool({ spoolPath, store }: ImportOptions): Promise<Imported> {
  const id = spoolIdOf(spoolPath);
  if (id === undefined) return { calls: 0, unknown: 0, open: 0 };
  const key = `spool:${id}`;
  const from = await store.offset(key);
  const gone = goneGateways(readSpool(spoolPath, from));
  // Read again only now: what a gateway wrote before it was seen to be gone is all here.
  const reading = readSpool(spoolPath, from);
  if (reading.id !== id) return importSpool({ spoolPath, store });

  const settled = new Set<string>();
  for (const { record } of reading.records) if (record.type === "settled") settled.add(record.callId);
  const rows: CallRow[] = [];
  let unknown = 0;
  let open = 0;
  let next = reading.end;
  for (const { record, at } of reading.records) {
    if (record.type === "settled") rows.push(rowOf(record));
    else if (settled.has(record.callId)) continue;
    else if (gone.has(record.gateway)) {
      unknown += 1;
      rows.push(rowOf(settledAsUnknown(record)));
    } else {
      open += 1;
      next = Math.min(next, at);
    }
  }
  // The offset goes with the last rows: an import that breaks off before them is done again from the start.
  for (let i = 0; i + batch < rows.length; i += batch)
    await store.commit({ projections: [{ kind: "calls", rows: rows.slice(i, i + batch) }] });
  if (rows.length > 0 || next !== from) {
    const last = rows.length === 0 ? [] : rows.slice(Math.floor((rows.length - 1) / batch) * batch);
    await store.commit({
      projections: [
        { kind: "calls", rows: last },
        { kind: "offset", key, value: next },
      ],
    });
  }
  return { calls: rows.length, unknown, open };
}

function goneGateways(reading: SpoolReading): Set<string> {
  const seen = new Set<string>();
  for (const { record } of reading.records) if (record.type === "reserved") seen.add(record.gateway);
  return new Set([...seen].filter((gateway) => !isGatewayAlive(gateway)));
}

function rowOf(call: SettledCall): CallRow {
  const { type: _, gateway: __, keyId: ___, budgets: ____, error: _____, ...row } = call;
  return row;
}
