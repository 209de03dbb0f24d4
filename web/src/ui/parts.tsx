import { useId, useState, type ButtonHTMLAttributes, type ReactNode } from "react";
import { useMe, type Problem } from "../data/index.ts";

type ButtonLook = "primary" | "plain" | "danger" | "quiet";

const buttonLooks: Readonly<Record<ButtonLook, string>> = {
  primary: "bg-accent text-on-accent border-accent hover:opacity-90",
  plain: "bg-surface text-ink border-line hover:bg-raised",
  danger: "bg-surface text-bad border-line hover:bg-bad-soft",
  quiet: "bg-transparent text-muted border-transparent hover:bg-raised hover:text-ink",
};

export function Button({
  look = "plain",
  small,
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { look?: ButtonLook; small?: boolean }) {
  const size = small ? "px-2 py-0.5 text-xs min-h-6" : "px-3 py-1.5 text-sm min-h-8";
  return (
    <button
      type="button"
      className={`inline-flex items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap disabled:opacity-50 disabled:cursor-not-allowed ${size} ${buttonLooks[look]} ${className}`}
      {...rest}
    />
  );
}

/** A part of a page with a heading of its own. */
export function Panel({
  title,
  aside,
  children,
  flush,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  /** Its content reaches the edges: tables. */
  flush?: boolean;
}) {
  const id = useId();
  return (
    <section className="rounded-lg border border-line bg-surface min-w-0" {...(title === undefined ? {} : { "aria-labelledby": id })}>
      {title === undefined ? undefined : (
        <header className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-3 py-2">
          <h2 id={id} className="text-sm font-semibold">
            {title}
          </h2>
          {aside}
        </header>
      )}
      <div className={flush ? "" : "p-3"}>{children}</div>
    </section>
  );
}

/** Nothing is here, why, and what to do next. */
export function Empty({ title, children, command }: { title: string; children?: ReactNode; command?: string }) {
  return (
    <div className="flex flex-col items-start gap-2 p-4">
      <p className="font-medium">{title}</p>
      {children === undefined ? undefined : <div className="max-w-prose text-muted">{children}</div>}
      {command === undefined ? undefined : <CommandLine command={command} />}
    </div>
  );
}

/** What went wrong, and what to do. */
export function ProblemNote({
  problem,
  retry,
}: {
  problem: Pick<Problem, "code" | "message" | "hint"> & Partial<Pick<Problem, "problems">>;
  retry?: () => void;
}) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-start justify-between gap-2 rounded-md border border-line bg-bad-soft px-3 py-2 text-bad"
    >
      <div className="min-w-0">
        <p className="font-medium break-words">{problem.message}</p>
        {problem.hint === "" ? undefined : <p className="break-words">{problem.hint}</p>}
        {problem.problems && problem.problems.length > 0 ? (
          <ul className="my-1 list-disc pl-5">
            {problem.problems.map((found) => (
              <li key={`${found.file ?? ""}:${found.line ?? ""}:${found.message}`} className="break-words">
                {[
                  ...(found.file === undefined ? [] : [`${found.file}${found.line ? `:${found.line}` : ""}`]),
                  // The first is what the note begins with.
                  ...(found.message === problem.message
                    ? []
                    : [`${sentence(found.message)}${found.hint ? ` ${sentence(found.hint)}` : ""}`]),
                ].join(": ")}
              </li>
            ))}
          </ul>
        ) : undefined}
        <p className="font-mono text-xs">{problem.code}</p>
      </div>
      {retry ? (
        <Button small onClick={retry}>
          Try again
        </Button>
      ) : undefined}
    </div>
  );
}

const sentence = (text: string): string => (/[.!?:]$/.test(text) ? text : `${text}.`);

export function Tag({
  children,
  tone = "plain",
  title,
}: {
  children: ReactNode;
  tone?: "plain" | "good" | "bad" | "warn" | "wait" | "busy";
  title?: string;
}) {
  const tones = {
    plain: "bg-raised text-muted",
    good: "bg-good-soft text-good",
    bad: "bg-bad-soft text-bad",
    warn: "bg-warn-soft text-warn",
    wait: "bg-wait-soft text-wait",
    busy: "bg-busy-soft text-busy",
  } as const;
  return (
    <span
      title={title}
      className={`inline-flex items-center gap-1 rounded px-1.5 py-px text-xs font-medium whitespace-nowrap ${tones[tone]}`}
    >
      {children}
    </span>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className="max-md:hidden rounded border border-line bg-raised px-1 font-mono text-xs text-muted">{children}</kbd>;
}

/** A command to type, and a button that copies it: `stepfall ...`, said as whoever started the server calls it. */
export function CommandLine({ command: said }: { command: string }) {
  const program = useMe().data?.program ?? "stepfall";
  const command = said.replace(/^stepfall\b/, () => program);
  const [isCopied, setCopied] = useState(false);
  return (
    <span className="inline-flex max-w-full items-center gap-1 rounded-md border border-line bg-raised py-0.5 pr-0.5 pl-2">
      <code className="overflow-x-auto font-mono text-xs whitespace-nowrap">{command}</code>
      <Button
        small
        look="quiet"
        aria-label={`Copy the command ${command}`}
        onClick={() =>
          void navigator.clipboard?.writeText(command).then(
            () => setCopied(true),
            () => undefined,
          )
        }
      >
        {isCopied ? "copied" : "copy"}
      </Button>
    </span>
  );
}

/** Something is being read. Said to screen readers; nothing jumps when it comes. */
export function Loading({ what = "Loading" }: { what?: string }) {
  return (
    <p role="status" className="p-4 text-muted">
      {what} …
    </p>
  );
}

/** How far something is: `done` of `total`. */
export function Progress({ done, total, label }: { done: number; total: number; label: string }) {
  const share = total === 0 ? 0 : done / total;
  return (
    <span className="inline-flex items-center gap-2">
      <span role="img" aria-label={label} className="h-1.5 w-16 overflow-hidden rounded-full bg-raised">
        <span className="block h-full bg-accent" style={{ width: `${Math.round(share * 100)}%` }} />
      </span>
      <span className="text-muted text-xs whitespace-nowrap" aria-hidden="true">
        {done}/{total}
      </span>
    </span>
  );
}

export const inputClass =
  "w-full rounded-md border border-strong-line bg-surface px-2 py-1.5 text-sm text-ink placeholder:text-muted disabled:opacity-60";
