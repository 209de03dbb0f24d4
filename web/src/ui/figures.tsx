import { formatUsd } from "../../../src/domain/index.ts";
import { useNow } from "../data/index.ts";
import { agoText, durationText, exactTime } from "./say.ts";

/** `$0.0123`; never a zero that is none. `scripted`: some of it answered from a file, and no money. */
export function Money({ microUsd, scripted }: { microUsd: number; scripted?: boolean }) {
  return (
    <span title={`${(microUsd / 1e6).toFixed(6)} USD${scripted ? "; answered by a scripted model: no money was spent" : ""}`}>
      <span className="whitespace-nowrap">{formatUsd(microUsd)}</span>
      {scripted ? <span className="text-muted"> scripted</span> : undefined}
    </span>
  );
}

/** `3 min ago`, with the exact time on hover. */
export function Ago({ at }: { at: number }) {
  const now = useNow(5_000);
  return (
    <time dateTime={new Date(at).toISOString()} title={exactTime(at)} className="whitespace-nowrap">
      {agoText(at, Math.max(now, Date.now()))}
    </time>
  );
}

/** How long something took; without `until` it counts on. */
export function Duration({ from, until }: { from: number; until?: number | undefined }) {
  return until === undefined ? <Counting from={from} /> : <Took ms={until - from} from={from} />;
}

function Counting({ from }: { from: number }) {
  return <Took ms={Math.max(0, useNow() - from)} from={from} />;
}

export function Took({ ms, from }: { ms: number; from?: number }) {
  return (
    <span className="whitespace-nowrap" {...(from === undefined ? {} : { title: `since ${exactTime(from)}` })}>
      {durationText(ms)}
    </span>
  );
}
