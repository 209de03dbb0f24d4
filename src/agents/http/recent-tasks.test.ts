import { ServerCallContext } from "@a2a-js/sdk/server";
import { expect, test } from "vitest";
import { RecentTasks } from "./recent-tasks.ts";

const context = new ServerCallContext();
const task = (id: string, note = "") => ({ id, contextId: "c", status: undefined, artifacts: [], history: [], metadata: { note } });

test("the last tasks are kept, and older ones forgotten", async () => {
  const store = new RecentTasks(3);
  for (let n = 1; n <= 10; n++) {
    await store.save(task(`t${n}`), context);
    await store.save(task(`t${n}`, "again"), context);
    for (let back = 0; back < 3 && n - back > 0; back++)
      expect((await store.load(`t${n - back}`, context))?.metadata).toEqual({ note: "again" });
    if (n > 6) expect(await store.load(`t${n - 6}`, context)).toBeUndefined();
  }
});
