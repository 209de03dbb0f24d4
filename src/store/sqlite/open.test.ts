import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { asking, refusal, steps } from "../conformance/fixture.ts";
import type { Store } from "../index.ts";
import { migrations } from "./migrations/all.ts";
import { openSqliteStore } from "./open.ts";

const clock = { now: () => 0 };
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepfall-open-"));
  file = join(folder, "home", "deep", "store.db");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A store with 500 events, closed. */
async function made(): Promise<void> {
  const store = await openSqliteStore({ file, clock });
  await store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(500) }] });
  await store.close();
}

/** Does something to the file as no Stepfall would. */
function tamper(sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

describe("opening", () => {
  test("makes folder and files that nobody else may read", async () => {
    const store = await openSqliteStore({ file, clock });
    await store.commit({ appends: [{ stream: "run:1", expected: 0, events: steps(1) }] });
    const modes = await Promise.all(
      [join(folder, "home"), join(folder, "home", "deep"), file, `${file}-wal`, `${file}-shm`].map((path) => stat(path)),
    );
    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(["700", "700", "600", "600", "600"]);
    await store.close();
  });

  test("many at the same moment on a file that does not exist yet all succeed", async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => openSqliteStore({ file, clock })));
    await Promise.all(stores.map((store, i) => store.commit({ appends: [{ stream: `run:${i}`, expected: 0, events: steps(1) }] })));
    expect(await stores[0]!.readAll()).toHaveLength(6);
    await Promise.all(stores.map((store) => store.close()));
  });

  test("the file of a newer Stepfall is refused and left alone", async () => {
    await made();
    tamper("PRAGMA user_version = 99");
    await expect(openSqliteStore({ file, clock })).rejects.toEqual(refusal("STORE_NEWER"));
    tamper(`PRAGMA user_version = ${migrations.length}`);
    const store = await openSqliteStore({ file, clock });
    expect(await store.read("run:1")).toHaveLength(500);
    await store.close();
  });

  test("the file of an older Stepfall is brought up to date with all that is in it, also by several processes at once", async () => {
    await mkdir(dirname(file), { recursive: true });
    tamper(`${migrations[0]}
      INSERT INTO candidate_sets VALUES (1, '["a"]'); INSERT INTO lanes (id, run_id, affinity, set_id) VALUES (1, 'r', '', 1);
      INSERT INTO queue VALUES (1, 'r/1#1', 1, 'r', '["a"]', 0, 0, NULL, 5, 0); UPDATE meta SET value = 7;
      INSERT INTO leases VALUES ('r/1#1', 7, 'old', 500, 'a', 'x', 'r', 1);
      PRAGMA user_version = 1; PRAGMA application_id = 1398034502`);
    const stores = await Promise.all([1, 2, 3].map(() => openSqliteStore({ file, clock })));
    const [store] = stores as [Store];
    const lease = { key: "r/1#1", epoch: 7 };
    expect(await store.leases("")).toEqual([{ ...lease, holder: "old", until: 500, agent: "a", runId: "r" }]);
    expect(await store.listInbox()).toEqual([]);
    // A lease of before names no machine: it takes no slot of one, and when it has run out its entry does.
    const ask = (now: number) => store.reserve(asking({ now, machine: { id: "m", slots: 1 } }));
    expect(await ask(499)).toEqual([]);
    expect(await ask(501)).toHaveLength(1);
    expect(await store.leases("")).toMatchObject([{ holder: "node-1", machine: "m" }]);
    await expect(store.commit({ settle: [lease] })).rejects.toEqual(refusal("STORE_STALE_LEASE"));
    await Promise.all(stores.map((each) => each.close()));
  });

  test("a file that is no database is corrupt, and the message says which file", async () => {
    await made();
    await writeFile(file, "this is not a database, but it is long enough to be looked at as if it were one".repeat(100));
    await expect(openSqliteStore({ file, clock })).rejects.toMatchObject({ code: "STORE_CORRUPT", message: expect.stringContaining(file) });
  });

  test("another program's database is refused and left alone", async () => {
    await made();
    await rm(file);
    tamper("CREATE TABLE notes (text)");
    await expect(openSqliteStore({ file, clock })).rejects.toEqual(refusal("STORE_CORRUPT"));
    const db = new DatabaseSync(file);
    expect(db.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "notes" }]);
    db.close();
  });

  test("a folder that cannot be made is refused with its reason", async () => {
    await writeFile(join(folder, "home"), "a file where the folder should be");
    await expect(openSqliteStore({ file, clock })).rejects.toMatchObject({ name: "StoreError", message: expect.stringContaining(file) });
  });
});

describe("what is in the file", () => {
  test("pages that are overwritten are found to be corrupt when they are read", async () => {
    await made();
    const handle = await open(file, "r+");
    const { size } = await handle.stat();
    await handle.write(Buffer.alloc(size - 4_096, 0xab), 0, size - 4_096, 4_096);
    await handle.close();
    const opened = openSqliteStore({ file, clock });
    const reading = opened.then((store) => readAndClose(store));
    await expect(reading).rejects.toMatchObject({ code: "STORE_CORRUPT", message: expect.stringContaining(file) });
  });

  test("an event no version could have written is corrupt, one of a type or version to come is newer", async () => {
    await made();
    const read = async (): Promise<unknown> => {
      const store = await openSqliteStore({ file, clock });
      return readAndClose(store);
    };
    tamper(`UPDATE events SET data = '{"step":1}' WHERE version = 3`);
    await expect(read()).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: `${file}: event 3 of run:1 is not a valid StepCompleted`,
    });
    tamper(`UPDATE events SET data = 'not json' WHERE version = 3`);
    await expect(read()).rejects.toEqual(refusal("STORE_CORRUPT"));
    tamper(`UPDATE events SET type = 'StepDreamt', data = '{}' WHERE version = 3`);
    await expect(read()).rejects.toEqual(refusal("STORE_NEWER"));
    tamper(`UPDATE events SET type = 'StepCompleted', schema_version = 99 WHERE version = 3`);
    await expect(read()).rejects.toEqual(refusal("STORE_NEWER"));
  });
});

describe("a process with a store", () => {
  const run = (script: string) => {
    const url = new URL("./open.ts", import.meta.url).href;
    const source = `import { openSqliteStore } from ${JSON.stringify(url)};
      const store = await openSqliteStore({ file: ${JSON.stringify(file)}, clock: { now: () => 0 } });
      ${script}`;
    return promisify(execFile)(process.execPath, ["--input-type=module", "-e", source], { timeout: 20_000 });
  };

  test("prints no warning about SQLite, and ends by itself when nothing is awaited, though the store is open", async () => {
    expect(await run("await store.commit({}); console.log('done')")).toEqual({ stdout: "done\n", stderr: "" });
  });

  test("stays while a commit is on its way", async () => {
    await run("store.commit({ projections: [{ kind: 'offset', key: 'k', value: 5 }] })");
    const store = await openSqliteStore({ file, clock });
    expect(await store.offset("k")).toBe(5);
    await store.close();
  });

  test("a value that cannot be stored refuses its request and does not hang the others", async () => {
    const store = await openSqliteStore({ file, clock });
    const uncopyable = store.release({ key: (() => {}) as unknown as string, epoch: 1 });
    await expect(uncopyable).rejects.toEqual(refusal("STORE_FAILED"));
    expect(await store.offset("k")).toBe(0);
    await store.close();
  });
});

async function readAndClose(store: Store): Promise<unknown> {
  try {
    return await store.read("run:1");
  } finally {
    await store.close();
  }
}
