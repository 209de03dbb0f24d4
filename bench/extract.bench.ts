import { extract } from "../src/quality/extract/extract.ts";
import { score, type LabelledReply, type Score } from "./extract-score.ts";
import { percentile, report, rowsOf } from "./report.ts";

/**
 * Labelled replies of models, extracted. A reply counts as exactly right when every labelled file is met by an edit of its own and
 * no edit is left over:
 *
 * - a fence by a whole file with its path and just its lines (less the indentation of the fence);
 * - a SEARCH/REPLACE block by its path and both halves;
 * - a diff by an edit of its file that begins among the labelled lines;
 * - a label with a path alone by any edit of that path;
 * - a path that is absolute or has `~` or `..` by its refusal;
 * - a file or block that the reply is cut off in by its report as unplaced, under its path; an edit of it would be wrong;
 * - a JSON record (labelled with its two names, not with its content) by an edit, a refusal or a report under one of these names,
 *   or both joined. Many of these records have no content, or contradict themselves; `json_edit_share` says how many of them came
 *   out as edits.
 *
 * `invented_in_negatives` counts edits in replies that no file may come from, `invented` those with a path no label has, in all.
 */
const FILE = "extraction_replies.jsonl";
const ROUNDS = 5;

function main(): void {
  const rows = rowsOf<LabelledReply>(FILE);
  if (!rows) return;
  const scores = rows.map((row) => ({ row, ...score(row, extract(row.reply)) }));
  const times = rows.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, row] of rows.entries()) {
      const started = performance.now();
      extract(row.reply);
      times[i] = Math.min(times[i] ?? 0, performance.now() - started);
    }
  }
  const negatives = scores.filter(({ row }) => row.files.length === 0);
  const shares = (name: string, of: (row: LabelledReply) => string): Record<string, number> =>
    Object.fromEntries(
      [...Map.groupBy(scores, ({ row }) => of(row))].sort().map(([key, group]) => [`${name}_${key}`, share(group)] as const),
    );
  const sum = (of: (score: Score) => number): number => scores.reduce((total, each) => total + of(each), 0);
  report(
    "extract",
    {
      exact_share: share(scores),
      invented_in_negatives: negatives.reduce((total, { invented }) => total + invented.length, 0),
      replies: rows.length,
      negatives: negatives.length,
      invented: sum(({ invented }) => invented.length),
      json_edit_share:
        sum(({ jsonEdits }) => jsonEdits) /
        Math.max(
          1,
          sum(({ jsonFiles }) => jsonFiles),
        ),
      ...shares("exact", ({ format }) => format),
      ...shares("exact_from", ({ source }) => source.split(/[@/]/)[1] ?? source),
      ms_per_reply: times.reduce((total, each) => total + each, 0) / Math.max(1, times.length),
      ms_p95: percentile(times, 95),
    },
    { exact_share: ">= 0.95", invented_in_negatives: "== 0" },
    scores.filter(({ isExact }) => !isExact).map(({ row, why }) => `Wrong: ${row.id} (${row.format}): ${why.slice(0, 3).join("; ")}`),
  );
}

const share = (group: readonly { isExact: boolean }[]): number =>
  group.length === 0 ? 0 : group.filter(({ isExact }) => isExact).length / group.length;

main();
