import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Recorded } from "../../src/domain/index.ts";
import { importSpool, type ServedCall } from "../../src/models/index.ts";
import type { CallRow } from "../../src/store/index.ts";
import type { Say } from "./inspect.ts";
import { isGatewayPart, type Victim } from "./points.ts";
import { promptOf, type CrashScene } from "./scene.ts";

/** Micro-dollars per token, as `stepfall.yaml` has them. */
const PRICE = { input: 1, output: 2 };

/** The ledger against what the endpoint knows that it has served: each call once. */
export async function checkBill(
  lane: CrashScene,
  {
    runId,
    events,
    served,
    victims,
  }: { runId: string; events: readonly Recorded[]; served: readonly ServedCall[]; victims: readonly Victim[] },
  say: Say,
): Promise<void> {
  const spoolPath = join(lane.scene.home, "gateway", "spool.ndjson");
  for (let i = 0; (await importSpool({ spoolPath, store: lane.store })).open > 0 && i < 100; i++) await sleep(50);
  // One that failed before it was out stands there with nothing: the endpoint does not know it.
  const neverSent = (c: CallRow): boolean => c.outcome === "failed" && c.microUsd + c.inputTokens + c.outputTokens === 0;
  const rows = (await lane.store.calls({ runId })).filter((c) => c.outcome !== "refused" && !neverSent(c));
  if (new Set(rows.map((r) => r.callId)).size !== rows.length) say("doubled", "a call is in the ledger twice");
  const figures = (input: number, cached: number, output: number): string => `${input}/${cached}/${output}`;
  const left = [...served];
  const counted: CallRow[] = [];
  for (const row of rows) {
    if (row.provenance !== "reported") counted.push(row);
    else {
      const own = figures(row.inputTokens, row.cachedInputTokens, row.outputTokens);
      const at = left.findIndex((c) => figures(c.promptTokens, c.cachedTokens, c.completionTokens) === own);
      if (at < 0) say("doubled", `the ledger holds a call that was not served: ${JSON.stringify(row)}`);
      else left.splice(at, 1);
    }
  }
  // What was cut stands in the ledger as a figure that is no report, once. One that was reserved and never sent is `unknown`, too.
  if (left.length > counted.length) say("lost", `${left.length} served calls are not billed as reported, and ${counted.length} otherwise`);
  const sent = counted.filter((r) => r.provenance === "estimated" && r.inputTokens > 0).length;
  if (sent > left.length) say("doubled", `${sent} calls are estimated, ${left.length} were cut`);
  for (const row of rows)
    if (row.microUsd > row.reservedMicroUsd) say("doubled", `a call costs more than was reserved for it: ${JSON.stringify(row)}`);
  const truth = served.reduce(
    (sum, c) => sum + (c.usageReported ? c.promptTokens * PRICE.input + c.completionTokens * PRICE.output : 0),
    0,
  );
  const billed = rows.reduce((sum, r) => sum + r.microUsd, 0);
  if (billed < truth) say("lost", `${billed} microdollars are billed for what cost ${truth} at least`);
  checkAskedOnce(events, served, victims, say);
  checkUsages(events, rows, say);
}

/** An attempt asks each thing once. Where the gateway died it may have to ask again what was under way. */
function checkAskedOnce(events: readonly Recorded[], served: readonly ServedCall[], victims: readonly Victim[], say: Say): void {
  const asked = new Map<string, number>();
  for (const call of served) {
    const messages = (call.request["messages"] ?? []) as { role: string; content: string }[];
    const file = /into (\w+)\.txt/.exec(promptOf(messages))?.[1] ?? "?";
    const turn = messages.filter((m) => m.role === "assistant").length;
    const key = `${file}, turn ${turn + 1}`;
    asked.set(key, (asked.get(key) ?? 0) + 1);
  }
  for (const [key, times] of asked) {
    const step = key.split(",")[0];
    const started = events.filter(({ event }) => event.type === "AttemptStarted" && event.data.step === step).length;
    // The machine takes the agents with it.
    const again = victims.filter(isGatewayPart).length;
    if (times > started + again) say("doubled", `${key} was asked ${times} times in ${started} attempts`);
  }
}

/** What the journal says of an attempt is what the ledger says. */
function checkUsages(events: readonly Recorded[], rows: readonly CallRow[], say: Say): void {
  for (const { event } of events) {
    if (!("attempt" in event.data) || !("usage" in event.data) || !event.data.usage) continue;
    const { attempt, usage } = event.data;
    const own = rows.filter((r) => r.attempt === attempt).reduce((sum, r) => sum + r.microUsd, 0);
    if (own !== usage.microUsd) say("doubled", `${attempt} costs ${usage.microUsd} in the journal and ${own} in the ledger`);
  }
}
