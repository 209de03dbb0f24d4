import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteStore, type InboxRow } from "../../store/index.ts";
import { findItem } from "./find-item.ts";

test("an item is found by its end before it is found by any part: the first of ten can be named beside the tenth", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-items-"));
  const store = await openSqliteStore({ file: join(folder, "stepfall.db"), clock: { now: () => 0 } });
  try {
    const row = (item: string): InboxRow => ({
      item,
      runId: item.split("/")[0] ?? "",
      step: "ok",
      kind: "approval",
      title: "?",
      choices: [],
      who: [],
      openedAt: 0,
    });
    const put = ["01aaa111/ok!1", "01aaa111/ok!10", "01aaa111/not-ok!1", "01bbb222/ok!2"].map(row);
    await store.commit({ projections: [{ kind: "inbox", put, remove: [] }] });
    const found = async (given: string): Promise<string> => (await findItem(store, given)).item;
    expect(await Promise.all(["ok!1", "a111/ok!1", "ok!10", "ok!2", "01bbb222/ok!2", "bbb"].map(found))).toEqual([
      "01aaa111/ok!1",
      "01aaa111/ok!1",
      "01aaa111/ok!10",
      "01bbb222/ok!2",
      "01bbb222/ok!2",
      "01bbb222/ok!2",
    ]);
    await expect(found("aaa")).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("may be") });
    await expect(found("")).rejects.toMatchObject({ code: "USAGE" });
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
