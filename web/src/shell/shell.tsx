import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useConnection, useInbox, useMe } from "../data/index.ts";
import { Button, Dialog, Kbd, StatusMark, useShortcuts } from "../ui/index.ts";
import { ConnectionNote } from "./connection-note.tsx";
import { ThemeButton } from "./theme.tsx";

const pages = [
  { to: "/", name: "Overview", key: "o", icon: "M2 2h5v5H2zM9 2h5v3H9zM9 7h5v7H9zM2 9h5v5H2z" },
  { to: "/inbox", name: "Inbox", key: "i", icon: "M2 9l2-6h8l2 6v4H2zM2 9h3.5l1 2h3l1-2H14" },
  { to: "/agents", name: "Agents", key: "a", icon: "M3 6h10v7H3zM8 6V3M6 9v1M10 9v1M1.5 8.5v2M14.5 8.5v2" },
  { to: "/cost", name: "Cost", key: "c", icon: "M2 14h12M4 14V9M8 14V3M12 14V6" },
  { to: "/settings", name: "Settings", key: "s", icon: "M2 4h7M13 4h1M2 12h1M7 12h7M2 8h2M8 8h6M9 2.5v3M3 10.5v3M4 6.5v3" },
] as const;

/** What is around every page: the ways to go, who waits, and whether what is shown is live. */
export function Shell() {
  const [isHelp, setHelp] = useState(false);
  const waiting = useInbox().data?.length ?? 0;
  const navigate = useNavigate();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const main = useRef<HTMLElement>(null);
  const wentTo = useRef<string | undefined>(undefined);

  useEffect(() => {
    const page = pages.find((p) => p.to === path)?.name ?? "Run";
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${page} · Stepfall`;
  }, [path, waiting]);
  // A page that was opened by a link begins at its beginning, for those who hear it too.
  useEffect(() => {
    if (wentTo.current !== undefined && wentTo.current !== path) main.current?.focus();
    wentTo.current = path;
  }, [path]);

  useShortcuts({
    "?": () => setHelp(true),
    ...Object.fromEntries(pages.map(({ key, to }) => [`g ${key}`, () => void navigate({ to })])),
  });

  return (
    <div className="flex h-full flex-col md:flex-row">
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-20 focus:m-2 focus:rounded focus:bg-surface focus:p-2">
        Skip to the page
      </a>
      <nav
        aria-label="Pages"
        className="order-2 flex shrink-0 border-t border-line bg-surface md:order-none md:w-44 md:flex-col md:gap-1 md:border-t-0 md:border-r md:p-2"
      >
        <p className="hidden items-center gap-2 px-2 py-2 font-semibold md:flex">
          <img src="/favicon.svg" width="20" height="20" alt="" /> Stepfall
        </p>
        {pages.map((page) => (
          <Link
            key={page.to}
            to={page.to}
            activeOptions={{ exact: page.to === "/" }}
            className="relative flex flex-1 flex-col items-center gap-0.5 rounded-md px-1 py-1.5 text-xs text-muted hover:bg-raised hover:text-ink md:flex-none md:flex-row md:gap-2 md:px-2 md:text-sm"
            activeProps={{ className: "bg-accent-soft !text-ink font-medium", "aria-current": "page" }}
          >
            <svg
              viewBox="0 0 16 16"
              width="16"
              height="16"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.4"
              strokeLinecap="round"
              strokeLinejoin="round"
              aria-hidden="true"
            >
              <path d={page.icon} />
            </svg>
            <span>{page.name}</span>
            {page.to === "/inbox" && waiting > 0 ? <WaitCount count={waiting} /> : undefined}
          </Link>
        ))}
        <div className="mt-auto hidden md:block">
          <Foot onHelp={() => setHelp(true)} />
        </div>
      </nav>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <ConnectionNote />
        <main id="main" ref={main} tabIndex={-1} className="relative min-h-0 flex-1 overflow-y-auto p-3 outline-none md:p-4">
          <Outlet />
        </main>
      </div>
      {isHelp ? <Keys onClose={() => setHelp(false)} /> : undefined}
    </div>
  );
}

function WaitCount({ count }: { count: number }) {
  return (
    <span className="absolute top-0 right-1/2 -mr-5 rounded-full bg-wait-soft px-1.5 text-xs font-semibold text-wait md:static md:mr-0 md:ml-auto">
      {count}
      <span className="sr-only"> wait for you</span>
    </span>
  );
}

function Foot({ onHelp }: { onHelp: () => void }) {
  const connection = useConnection();
  const me = useMe().data;
  return (
    <div className="flex flex-col gap-1 border-t border-line px-2 pt-2 text-xs text-muted">
      <StatusMark
        status={connection.state === "live" ? "succeeded" : connection.state === "connecting" ? "ready" : "note"}
        label
        word={
          connection.state === "live"
            ? "live"
            : connection.state === "connecting"
              ? "connecting"
              : connection.state === "lost"
                ? "server away"
                : "not logged in"
        }
        size={11}
      />
      {me ? (
        <span className="truncate" title={`${me.actor}, ${me.role}`}>
          {me.actor.replace(/^web:/, "")} · {me.role}
        </span>
      ) : undefined}
      <span className="-mx-2 flex items-center justify-between">
        <ThemeButton />
        <Button small look="quiet" onClick={onHelp} aria-label="Keys">
          <Kbd>?</Kbd>
        </Button>
      </span>
      {me ? <span>v{me.version}</span> : undefined}
    </div>
  );
}

function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5">
        {pages.map(({ key, name }) => (
          <Key key={key} keys={["g", key]}>
            {name}
          </Key>
        ))}
        <Key keys={["j", "k"]}>next and previous in a list</Key>
        <Key keys={["Enter"]}>open what is chosen</Key>
        <Key keys={["a", "r", "w"]}>inbox: approve, reject, ask for rework</Key>
        <Key keys={["1", "…", "9"]}>inbox: the first to ninth answer</Key>
        <Key keys={["n"]}>overview: start work</Key>
        <Key keys={["x", "X"]}>overview: choose a run, all runs up to it</Key>
        <Key keys={["↑", "↓", "←", "→"]}>run: from step to step</Key>
        <Key keys={["l", "d", "f"]}>run: its log, its diff, follow the log</Key>
        <Key keys={["[", "]"]}>run: as it was an event before, after</Key>
        <Key keys={["Esc"]}>overview: choose none; run: back to now</Key>
        <Key keys={["?"]}>these keys</Key>
      </dl>
    </Dialog>
  );
}

function Key({ keys, children }: { keys: readonly string[]; children: ReactNode }) {
  return (
    <>
      <dt className="flex gap-1">
        {keys.map((key) => (
          <Kbd key={key}>{key}</Kbd>
        ))}
      </dt>
      <dd>{children}</dd>
    </>
  );
}
