import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createLog, type LogRecord } from "../logs/index.ts";
import { openStore } from "./store.ts";

const clock = { now: () => Date.now() };

test("a call that another process holds up is told with how long it took, and one that is quick is not", { timeout: 60_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), "stepfall-store-"));
  const said: LogRecord[] = [];
  const log = createLog({ process: "p", pid: 1, clock, level: "info", mask: (text) => text, sinks: [(record) => said.push(record)] });
  const store = await openStore({ env: {}, cwd: home, clock, home }, log);
  try {
    const write = () => store.commit({ projections: [{ kind: "offset", key: "x", value: 1 }] });
    await write();
    expect(said).toEqual([]);
    const other = new DatabaseSync(join(home, "stepfall.db"));
    other.exec("BEGIN IMMEDIATE");
    const held = write();
    await sleep(2300);
    other.exec("ROLLBACK");
    other.close();
    await held;
    expect(said).toMatchObject([{ level: "warn", event: "store-slow", room: "store", data: { call: "commit" } }]);
    expect(said[0]?.data?.["ms"]).toBeGreaterThan(2000);
  } finally {
    await store.close();
    rmSync(home, { recursive: true, force: true });
  }
});
