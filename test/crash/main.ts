import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Evidence } from "./evidence.ts";
import { crashEverywhere } from "./harness.ts";

/**
 * `npm run test:crash -- [--short] [--json] [--points N] [--seed S] [--evidence FILE] [--shard I/N] [--lanes N] [--only TEXT]`: kills engines,
 * machines, keepers, agents and gateways before and after commits and at N random moments (default 500), goes on, and counts what was lost,
 * doubled or orphaned. With the evidence of an earlier run it goes on where that one stopped.
 */
const usage = "usage: test:crash [--short] [--json] [--points N] [--seed S] [--evidence FILE] [--shard I/N] [--lanes N] [--only TEXT]\n";
const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    points: { type: "string" },
    seed: { type: "string" },
    evidence: { type: "string" },
    shard: { type: "string" },
    lanes: { type: "string" },
    only: { type: "string" },
  },
});
const file =
  values.evidence === undefined
    ? join(mkdtempSync(join(tmpdir(), "stepfall-crash-evidence-")), "evidence.ndjson")
    : resolve(values.evidence);
const evidence = new Evidence(file);
const asked = {
  every: values.short ? 40 : 1,
  everyOther: values.short ? 0 : 8,
  everyFrozen: values.short ? 60 : 8,
  moments: Number(values.points ?? (values.short ? 6 : 500)),
  seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
};
// An earlier run's plan stands.
const { every, everyOther, everyFrozen, moments, seed } = evidence.heading ?? asked;
const plan = { every, everyOther, everyFrozen, moments, seed };
const [index, of] = (values.shard ?? "").split("/").map(Number);
const shard = index !== undefined && of !== undefined ? { index, of } : undefined;
const lanes = Number(values.lanes ?? 3);
const isBad = (n: number): boolean => !Number.isSafeInteger(n) || n < 0;
if (isBad(seed) || isBad(moments) || isBad(lanes) || lanes === 0 || (values.shard !== undefined && (!shard || shard.index >= shard.of))) {
  process.stderr.write(usage);
  process.exit(2);
}
// What is under way is finished and written down; the same evidence goes on there.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
process.stderr.write(`seed ${seed}, evidence in ${file}\n`);
const report = await crashEverywhere({
  ...plan,
  lanes,
  evidence,
  signal: stop.signal,
  ...(shard ? { shard } : {}),
  ...(values.only === undefined ? {} : { only: values.only }),
  onPoint: ({ name, problems, missed, ms }) => {
    if (!values.json || problems.length > 0)
      process.stderr.write(
        `${problems.length === 0 ? "ok " : "BAD"} ${name}${missed > 0 ? ` (${missed} found nothing to kill)` : ""} ${(ms / 1000).toFixed(1)} s\n`,
      );
    for (const { kind, text } of problems) process.stderr.write(`      ${kind}: ${text}\n`);
  },
});
const ok = report.lost + report.doubled + report.orphans + report.restarted === 0;
if (values.json) {
  const aims = { lost: "<= 0", doubled: "<= 0", orphans: "<= 0", restarted: "<= 0" };
  process.stdout.write(`${JSON.stringify({ bench: "crash", metrics: { ...report, seed }, aims, ok })}\n`);
} else
  process.stdout.write(
    `${Object.entries({ ...report, seed })
      .map(([name, n]) => `${name} ${typeof n === "object" ? JSON.stringify(n) : n}`)
      .join(", ")}\n`,
  );
process.exit(ok ? 0 : 1);
