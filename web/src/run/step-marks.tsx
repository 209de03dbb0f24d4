import { Money, StatusMark, Tag, type Status } from "../ui/index.ts";
import type { Fan, StepView } from "./model/step-view.ts";
import { statusText, type ShownStatus } from "./model/status.ts";

const marks: Readonly<Record<ShownStatus, Status>> = {
  waiting: "pending",
  ready: "ready",
  queued: "queued",
  running: "running",
  merging: "merging",
  people: "person",
  quota: "quota",
  paused: "budget",
  completed: "succeeded",
  failed: "failed",
  skipped: "skipped",
  unneeded: "skipped",
  cancelled: "cancelled",
};

export function StepMark({ status, label, size }: { status: ShownStatus; label?: boolean; size?: number }) {
  return (
    <span className="inline-flex">
      <StatusMark
        status={marks[status]}
        word={statusText[status]}
        {...(label ? { label } : {})}
        {...(size === undefined ? {} : { size })}
      />
    </span>
  );
}

/** Tier, cost and number of attempts, as far as there is any. */
export function StepBadges({ view }: { view: StepView }) {
  const { tier, cost, attempts } = view;
  return (
    <span className="inline-flex items-center gap-1 overflow-hidden empty:hidden">
      {tier === undefined || view.kind === "command" ? undefined : <Tag title="tier of the last attempt">{tier}</Tag>}
      {cost === undefined || cost.microUsd === 0 ? undefined : (
        <Tag
          title={`cost of its attempts that are over${cost.provenance === "reported" ? "" : `; at least one figure of it is ${cost.provenance}`}`}
        >
          {cost.provenance === "reported" ? "" : "~"}
          <Money microUsd={cost.microUsd} />
        </Tag>
      )}
      {attempts > 1 ? (
        <Tag tone={view.fan ? "plain" : "warn"} title={`${attempts} attempts`}>
          {attempts}×<span className="sr-only"> attempts</span>
        </Tag>
      ) : undefined}
    </span>
  );
}

const order: readonly ShownStatus[] = [
  "failed",
  "people",
  "paused",
  "quota",
  "running",
  "merging",
  "queued",
  "ready",
  "waiting",
  "completed",
  "skipped",
  "unneeded",
  "cancelled",
];

/** `2 failed, 3 running, 8 completed`. */
export const fanText = ({ counts, total }: Fan): string =>
  total === 0 ? "no steps yet" : order.flatMap((s) => (counts[s] ? [`${counts[s]} ${statusText[s]}`] : [])).join(", ");

export const fanName: Readonly<Record<Fan["how"], string>> = { each: "steps", "best-of": "candidates", pipeline: "steps inside" };

const tones: Partial<Record<ShownStatus, string>> = {
  failed: "bg-bad",
  people: "bg-wait",
  paused: "bg-warn",
  quota: "bg-warn",
  running: "bg-busy",
  merging: "bg-busy",
  completed: "bg-good",
};

/** The counts as a bar; the words are beside it. */
export function FanBar({ fan }: { fan: Fan }) {
  return (
    <span className="flex h-1 w-full overflow-hidden rounded-full bg-raised" aria-hidden="true">
      {order.map((s) =>
        fan.counts[s] ? <span key={s} className={tones[s] ?? "bg-raised"} style={{ flexGrow: fan.counts[s] }} /> : undefined,
      )}
    </span>
  );
}
