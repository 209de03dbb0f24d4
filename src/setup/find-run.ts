import { fold, runStream, type RunState } from "../domain/index.ts";
import type { HeldLease, RunRow, Store } from "../store/index.ts";
import { openProject, type Project } from "../workspace/index.ts";
import type { Surroundings } from "./surroundings.ts";
import { RequestError } from "./failure.ts";
import { isDead } from "./identity.ts";

/** The project the person stands in, if it is one that can be opened. */
export const projectHere = (cli: Surroundings): Promise<Project | undefined> =>
  openProject(cli.cwd, { env: cli.env }).catch(() => undefined);

/** The run that `given` names by the beginning or the end of its id; without it the latest of this project, else of the home. */
export async function findRun(cli: Surroundings, store: Store, given: string | undefined): Promise<RunRow> {
  if (given === undefined) {
    const here = await projectHere(cli);
    const row = (here ? (await store.runs({ project: here.top, limit: 1 }))[0] : undefined) ?? (await store.runs({ limit: 1 }))[0];
    if (row) return row;
    throw new RequestError("RUN_UNKNOWN", "there is no run yet", "Start with `stepfall run FILE`.");
  }
  const wanted = given.toLowerCase();
  const [whole] = wanted === "" ? [] : await store.runs({ runId: wanted });
  if (whole) return whole;
  const rows = await store.runs();
  const fit = rows.filter((r) => wanted !== "" && (r.runId.startsWith(wanted) || r.runId.endsWith(wanted)));
  if (fit.length === 1 && fit[0]) return fit[0];
  if (fit.length > 1)
    throw new RequestError(
      "RUN_AMBIGUOUS",
      `${given} may be ${fit
        .slice(0, 5)
        .map((r) => r.runId)
        .join(", ")}${fit.length > 5 ? ", ..." : ""}`,
      "Give more of the id.",
    );
  throw new RequestError("RUN_UNKNOWN", `there is no run ${given}`, "`stepfall ps --all` lists the runs.");
}

export async function loadRun(store: Store, runId: string): Promise<RunState> {
  const events = await store.read(runStream(runId));
  if (events.length === 0) throw new RequestError("RUN_UNKNOWN", `there is no run ${runId}`, "`stepfall ps --all` lists the runs.");
  return fold(events);
}

/** The process that drives a run now, if one does. */
export async function driverOf(store: Store, runId: string, now: number): Promise<HeldLease | undefined> {
  const key = `run:${runId}`;
  const held = (await store.leases(key)).find((l) => l.key === key);
  return held && held.until > now && !isDead(held.holder) ? held : undefined;
}

export type ShownStatus = "running" | "stopped" | "budget" | "waiting" | "succeeded" | "failed" | "cancelled";

/** What a person calls it: a run that is not over and that nobody drives is stopped. */
export function shownStatus(row: Pick<RunRow, "status">, driver: HeldLease | undefined): ShownStatus {
  return row.status === "running" && !driver ? "stopped" : row.status;
}
