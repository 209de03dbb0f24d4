import { writeSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { openSqliteStore } from "./open.ts";

/**
 * Started by machine.test.ts: reserves on machine `m` as fast as it can, holds each attempt for some milliseconds, settles it and says
 * its id on stdout, until the queue has been filled and is empty again.
 */
const [file, node, slots] = process.argv.slice(2) as [string, string, string];
const clock = { now: () => Date.now() };
const store = await openSqliteStore({ file, clock });
const machine = { id: "m", slots: Number(slots) };

const size = async (): Promise<number> => {
  const { queued, leased } = await store.queueStats();
  return queued + leased;
};

writeSync(1, "ready\n");
while ((await size()) === 0) await wait(5);
while ((await size()) > 0) {
  const request = { node, agents: [{ id: "a", account: "x" }], accountSlots: {}, limit: 2, now: clock.now(), leaseMs: 2_500, machine };
  const reserved = await store.reserve(request);
  if (reserved.length === 0) await wait(2);
  for (const { lease } of reserved) {
    await wait(2);
    await store.commit({ settle: [lease] });
    writeSync(1, `${lease.key}\n`);
  }
}
await store.close();
