import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openSqliteStore, type Store } from "../../store/index.ts";

/** A store in a folder of its own, gone with the test. */
export async function openStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "stepfall-ledger-"));
  const store = await openSqliteStore({ file: join(folder, "store.db"), clock: { now: () => Date.now() } });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  return store;
}
