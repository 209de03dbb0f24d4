import { Button, clockText, exactTime, Kbd } from "../ui/index.ts";
import { describeEvent } from "./model/describe-event.ts";
import type { Frame } from "./frame.ts";

/** The slider over a run's events: the whole page is as it was at the one that is chosen. */
export function TimeBar({ frame, onSeek }: { frame: Frame; onSeek(version: number | undefined): void }) {
  const { version, last, isNow, history } = frame;
  const recorded = history.event(version);
  const text = recorded ? describeEvent(recorded.event) : "nothing has happened yet";
  const seek = (to: number): void => onSeek(to >= last ? undefined : Math.max(1, to));
  return (
    <section
      aria-label="Time"
      className={`flex flex-wrap items-center gap-2 rounded-md border px-2 py-1 ${isNow ? "border-line bg-surface" : "border-warn bg-warn-soft"}`}
    >
      <Button small look="quiet" aria-label="One event back" title="[" disabled={version <= 1} onClick={() => seek(version - 1)}>
        ‹
      </Button>
      <input
        type="range"
        min={1}
        max={Math.max(1, last)}
        value={Math.max(1, version)}
        onChange={(event) => seek(Number(event.target.value))}
        aria-label="Event of the run"
        aria-valuetext={`event ${version} of ${last}: ${text}`}
        className="min-w-24 flex-1 accent-(--color-accent)"
      />
      <Button small look="quiet" aria-label="One event on" title="]" disabled={isNow} onClick={() => seek(version + 1)}>
        ›
      </Button>
      <span
        className="w-full truncate text-xs text-muted md:w-[26rem]"
        title={recorded ? `${text}, ${exactTime(recorded.at)}, by ${recorded.actor}` : ""}
      >
        {isNow ? undefined : <strong className="text-warn">As it was: </strong>}
        {version.toLocaleString("en")} of {last.toLocaleString("en")}
        {recorded ? ` · ${clockText(recorded.at)}` : ""} · <span className="text-ink">{text}</span>
      </span>
      <Button
        small
        look={isNow ? "quiet" : "primary"}
        className={isNow ? "max-md:hidden" : ""}
        disabled={isNow}
        onClick={() => onSeek(undefined)}
      >
        {isNow ? "now" : "Back to now"} {isNow ? undefined : <Kbd>Esc</Kbd>}
      </Button>
    </section>
  );
}
