import { eventSchemas, schemaVersions, type EventType, type RunEvent } from "./events.ts";

/** Turns the data of one superseded version into the next one's. */
type Upcaster = (data: unknown) => unknown;

/** By type, then by the version it starts from. */
const upcasters: Partial<Record<EventType, Record<number, Upcaster>>> = {
  // 2: `attempt` may be absent, `output` may be there. Whatever 1 wrote is a 2 as it is.
  StepCompleted: { 1: (data) => data },
  // 2: `kind` may be `stuck`. 3: it may be `quota`, with `quota` there.
  AttemptFailed: { 1: (data) => data, 2: (data) => data },
  // 2: `complexity`, `escalatedFrom` and `policy` may be there.
  AttemptRouted: { 1: (data) => data },
  // 2: `budgets`, `tiers` and `workload` may be there.
  RunStarted: { 1: (data) => data },
  // 2: `kind` may be `budget`. 3: `request` may be there.
  InboxOpened: { 1: (data) => data, 2: (data) => data },
  // 2: more scopes, and the account by its id. A step's in 1 was followed by the step's failure, which lifts the pause it is now.
  BudgetExhausted: { 1: (data) => data },
  BudgetRaised: { 1: (data) => data },
};

export const schemaVersionOf = (type: EventType): number => schemaVersions[type] ?? 1;

/** Reads a stored event: upcasts, then validates. Throws a ZodError when the journal holds what no version of ours wrote. */
export function parseEvent(type: string, schemaVersion: number, data: unknown): RunEvent {
  if (!Object.hasOwn(eventSchemas, type)) throw new TypeError(`event type ${type} is not known to this version of Stepfall`);
  const known = type as EventType;
  let current = data;
  for (let v = schemaVersion; v < schemaVersionOf(known); v++) current = upcasters[known]?.[v]?.(current) ?? current;
  return { type: known, data: eventSchemas[known].parse(current) } as RunEvent;
}
