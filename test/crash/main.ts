import { parseArgs } from "node:util";
import { crashEverywhere, describePoint } from "./harness.ts";

/**
 * `npm run test:crash -- [--short] [--json] [--points N] [--seed S]`: kills the engine before and after every commit and at N random moments
 * (default 20), resumes, and counts what was lost, doubled or orphaned. `--short`: every fourth commit and 5 moments.
 */
const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    points: { type: "string" },
    seed: { type: "string" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const moments = Number(values.points ?? (values.short ? 5 : 20));
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(moments) || moments < 0) {
  process.stderr.write("usage: test:crash [--short] [--json] [--points N] [--seed S]\n");
  process.exit(2);
}
const report = await crashEverywhere({
  every: values.short ? 4 : 1,
  moments,
  seed,
  lanes: 2,
  onPoint: ({ point, problems, survived }) => {
    if (!values.json || problems.length > 0)
      process.stderr.write(
        `${problems.length === 0 ? "ok " : "BAD"} killed ${describePoint(point)}${survived ? " (it was over before)" : ""}\n`,
      );
    for (const { kind, text } of problems) process.stderr.write(`      ${kind}: ${text}\n`);
  },
});
const { results: _, ...figures } = report;
const ok = report.lost + report.doubled + report.orphans === 0;
if (values.json) {
  const aims = { lost: "<= 0", doubled: "<= 0", orphans: "<= 0" };
  process.stdout.write(`${JSON.stringify({ bench: "crash", metrics: { ...figures, seed }, aims, ok })}\n`);
} else
  process.stdout.write(
    `${Object.entries({ ...figures, seed })
      .map(([name, n]) => `${name} ${n}`)
      .join(", ")}\n`,
  );
process.exit(ok ? 0 : 1);
