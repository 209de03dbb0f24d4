import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { ask, bodyOf, chunks, gateway, scripted, spec, tempHome } from "../../src/models/gateway/gateway.testkit.ts";
import { SmallDisk, whyNoDisk } from "./small-disk.ts";

vi.setConfig({ testTimeout: 120_000 });

const why = whyNoDisk();
const usage = { promptTokens: 100, completionTokens: 10 };

test.skipIf(why !== undefined)(
  `a gateway whose disk is full asks no model what it could not write down, bounds what was under way, and goes on when there is room${why === undefined ? "" : ` (NOT TESTED HERE: ${why})`}`,
  async () => {
    const home = join(await tempHome(), "home");
    using disk = new SmallDisk(home, 8);
    const model = await scripted({
      rules: [
        { when: { lastUser: "slow" }, answer: { text: "one two three four five six", wordsPerChunk: 1, chunkDelayMs: 500, usage } },
        { answer: { text: "ok", usage } },
      ],
    });
    const client = await gateway({ home });
    const open = await client.openKey(spec(model));
    expect((await ask(open, {})).status).toBe(200);

    const streaming = chunks(await ask(open, { messages: [{ role: "user", content: "slow" }], stream: true })).catch((error: unknown) =>
      String(error),
    );
    await sleep(200);
    disk.fill();
    // The last page of the spool has room for a few more.
    let answered = 1;
    let refused = await ask(open, {});
    for (; refused.status === 200 && answered < 20; answered += 1) refused = await ask(open, {});
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(JSON.stringify(await bodyOf(refused))).toMatch(/spool .* cannot be written/);
    // None was made that could not be reserved: those that were answered, and the one that is under way.
    const made = model.served().length;
    expect(made).toBeLessThanOrEqual(answered + 2);
    await streaming;

    disk.free();
    expect((await ask(open, {})).status).toBe(200);
    const bill = await client.closeKey(open.key);
    const served = model.served();
    expect(bill.calls).toBe(served.length);
    expect(bill.microUsd).toBeGreaterThanOrEqual(served.length * (100 + 2 * 10));
  },
);
