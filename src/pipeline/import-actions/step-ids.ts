import { ID_PATTERN } from "../../config/index.ts";

/** A step's id for each job: the job's own where it can be one. */
export function stepIds(jobs: readonly string[]): Map<string, string> {
  const ids = new Map(jobs.filter((job) => ID_PATTERN.test(job)).map((job) => [job, job]));
  const taken = new Set(ids.values());
  for (const job of jobs) {
    if (ids.has(job)) continue;
    const word = job
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, "-")
      .slice(0, 56);
    const base = ID_PATTERN.test(word) ? word : `job-${word}`.replace(/-+$/, "");
    let id = base;
    for (let n = 2; taken.has(id); n++) id = `${base}-${n}`;
    taken.add(id);
    ids.set(job, id);
  }
  return ids;
}
