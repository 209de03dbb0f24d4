import type { ReactNode } from "react";

/** Every state that is shown anywhere, of runs, steps, attempts, agents and checks: a shape, a colour and a word for each. */
export type Status =
  | "running"
  | "merging"
  | "queued"
  | "ready"
  | "pending"
  | "succeeded"
  | "failed"
  | "refused"
  | "cancelled"
  | "skipped"
  | "stopped"
  | "person"
  | "budget"
  | "quota"
  | "idle"
  | "stuck"
  | "unknown"
  | "note";

type Tone = "busy" | "good" | "bad" | "warn" | "wait" | "muted";

const toneClass: Readonly<Record<Tone, string>> = {
  busy: "text-busy",
  good: "text-good",
  bad: "text-bad",
  warn: "text-warn",
  wait: "text-wait",
  muted: "text-muted",
};

const circle = <circle cx="8" cy="8" r="6" fill="none" />;

const looks: Readonly<Record<Status, { tone: Tone; word: string; shape: ReactNode; spins?: true }>> = {
  running: { tone: "busy", word: "running", spins: true, shape: <path d="M8 2a6 6 0 1 1-5.2 3" fill="none" /> },
  merging: { tone: "busy", word: "merging", shape: <path d="M4 2v12M4 9c0-4 8-2 8-6M12 3v0" fill="none" /> },
  queued: { tone: "muted", word: "queued", shape: <path d="M3 4h10M3 8h10M3 12h6" fill="none" /> },
  ready: { tone: "muted", word: "ready", shape: <circle cx="8" cy="8" r="5.5" fill="none" strokeDasharray="2.6 2.2" /> },
  pending: { tone: "muted", word: "waiting for its needs", shape: circle },
  succeeded: {
    tone: "good",
    word: "succeeded",
    shape: (
      <>
        <circle cx="8" cy="8" r="7" fill="currentColor" stroke="none" />
        <path d="M4.8 8.2l2.2 2.2 4.2-4.6" fill="none" stroke="var(--color-surface)" />
      </>
    ),
  },
  failed: {
    tone: "bad",
    word: "failed",
    shape: (
      <>
        <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor" stroke="none" />
        <path d="M5.5 5.5l5 5m0-5l-5 5" stroke="var(--color-surface)" />
      </>
    ),
  },
  refused: {
    tone: "bad",
    word: "refused",
    shape: (
      <>
        <rect x="2" y="2" width="12" height="12" rx="1.5" fill="none" />
        <path d="M5.5 5.5l5 5m0-5l-5 5" />
      </>
    ),
  },
  cancelled: {
    tone: "muted",
    word: "cancelled",
    shape: (
      <>
        <circle cx="8" cy="8" r="6" fill="none" />
        <path d="M4 12l8-8" />
      </>
    ),
  },
  skipped: { tone: "muted", word: "skipped", shape: <path d="M3 3.5l5 4.5-5 4.5zM8.5 3.5l5 4.5-5 4.5z" fill="none" /> },
  stopped: { tone: "warn", word: "stopped", shape: <rect x="3" y="3" width="10" height="10" rx="1.5" fill="currentColor" stroke="none" /> },
  person: {
    tone: "wait",
    word: "waits for people",
    shape: (
      <>
        <circle cx="8" cy="5" r="2.8" fill="currentColor" stroke="none" />
        <path d="M2.5 14c.5-3.5 2.8-4.7 5.5-4.7s5 1.2 5.5 4.7z" fill="currentColor" stroke="none" />
      </>
    ),
  },
  budget: {
    tone: "warn",
    word: "stopped by a budget",
    shape: (
      <>
        <circle cx="8" cy="8" r="6" fill="none" />
        <path d="M8 4.2v7.6M10 5.8C9.5 5 6.2 4.7 6.2 6.5S10 7.8 10 9.7 6.5 11.3 6 10" fill="none" strokeWidth="1.3" />
      </>
    ),
  },
  quota: {
    tone: "warn",
    word: "waits for a provider's limit",
    shape: <path d="M4 2h8M4 14h8M5 2c0 4 6 8 6 12M11 2c0 4-6 8-6 12" fill="none" />,
  },
  idle: { tone: "muted", word: "idle", shape: <path d="M5.5 3.5v9M10.5 3.5v9" /> },
  stuck: {
    tone: "warn",
    word: "stuck",
    shape: (
      <>
        <path d="M8 1.5l6.8 12.5H1.2z" fill="none" />
        <path d="M8 6v3.5M8 11.7v.100" />
      </>
    ),
  },
  unknown: { tone: "warn", word: "unknown", shape: <path d="M5.5 5.5c0-3.5 5-3.2 5-.200C10.5 7.5 8 7.5 8 9.7M8 12.5v.100" fill="none" /> },
  note: {
    tone: "warn",
    word: "note",
    shape: (
      <>
        <path d="M8 1.5l6.8 12.5H1.2z" fill="none" />
        <path d="M8 6v3.5M8 11.7v.100" />
      </>
    ),
  },
};

/** Names that the API has for states, mapped to what is shown. */
const byName: Readonly<Record<string, Status>> = {
  waiting: "pending",
  active: "running",
  completed: "succeeded",
  merged: "succeeded",
  accepted: "merging",
  rejected: "refused",
  interrupted: "stopped",
  waiting_quota: "quota",
  dead: "failed",
  ok: "succeeded",
  passed: "succeeded",
  errored: "note",
  problem: "failed",
};

/** `of`: `run` where `waiting` means that people are waited for. */
export function statusOf(name: string, of: "run" | "step" = "step"): Status {
  if (of === "run" && name === "waiting") return "person";
  return byName[name] ?? (name in looks ? (name as Status) : "unknown");
}

/** The mark of a state: told apart by its shape, without its colour. `label`: shown beside it, else only said by screen readers. */
export function StatusMark({ status, label, word, size = 14 }: { status: Status; label?: boolean; word?: string; size?: number }) {
  const look = looks[status];
  const said = word ?? look.word;
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${toneClass[look.tone]}`} {...(label ? {} : { title: said })}>
      <svg
        viewBox="0 0 16 16"
        width={size}
        height={size}
        className={`shrink-0 ${look.spins ? "spin-slow" : ""}`}
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        {look.shape}
      </svg>
      {label ? <span>{said}</span> : <span className="sr-only">{said}</span>}
    </span>
  );
}

export const statusWord = (status: Status): string => looks[status].word;
