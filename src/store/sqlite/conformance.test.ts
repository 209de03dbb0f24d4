import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { storeConformance } from "../conformance.ts";
import { openSqliteStore } from "./open.ts";

storeConformance("SQLite", {
  newLocation: async () => join(await mkdtemp(join(tmpdir(), "stepfall-store-")), "store.db"),
  open: (file, clock) => openSqliteStore({ file, clock }),
  remove: (file) => rm(dirname(file), { recursive: true, force: true }),
});
