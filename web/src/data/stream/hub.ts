import type { Recorded } from "../../../../src/domain/index.ts";
import { LatestLive } from "./latest-live.ts";
import { runIdOf, type Connection, type FromStream, type LiveItem, type ToStream, type Touch } from "./messages.ts";
import { openUpstream } from "./upstream.ts";

/** How long news are gathered before tabs are told: less than a frame is drawn in. */
const GATHER_MS = 8;
/** A tab says every few seconds that it is there; one that was closed without a word is forgotten after this. */
export const TAB_SILENT_MS = 90_000;

/** One end that listens: a tab's port, or the page itself where there is no shared worker. */
export interface Listener {
  tell(message: FromStream): void;
}

interface Tab {
  listener: Listener;
  runs: ReadonlySet<string>;
  heardAt: number;
}

export interface Hub {
  add(listener: Listener): (message: ToStream) => void;
}

/** One upstream for any number of tabs; each gets whole events of the runs it shows, and of others only that something happened. */
export function createHub(url: string): Hub {
  const tabs = new Map<Listener, Tab>();
  let connection: Connection = { state: "connecting" };
  let globalSeq = 0;
  let events: Recorded[] = [];
  let live: LiveItem[] = [];
  const latest = new LatestLive();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    timer = undefined;
    const news = { events, live, touched: touches(events) };
    events = [];
    live = [];
    const oldest = Date.now() - TAB_SILENT_MS;
    for (const tab of tabs.values()) {
      if (tab.heardAt < oldest) {
        tabs.delete(tab.listener);
        continue;
      }
      tab.listener.tell({ kind: "news", ...news, events: news.events.filter((e) => tab.runs.has(runIdOf(e.stream) ?? "")), globalSeq });
    }
  };
  const soon = (): void => {
    timer ??= setTimeout(flush, GATHER_MS);
  };

  const upstream = openUpstream(url, {
    journal: (event) => {
      globalSeq = event.globalSeq;
      latest.happened(event);
      events.push(event);
      soon();
    },
    live: (item) => {
      latest.heard(item);
      live.push(item);
      soon();
    },
    connection: (now, seq) => {
      connection = now;
      globalSeq = Math.max(globalSeq, seq);
      // It says all of it anew; what was over meanwhile it does not say.
      if (now.state === "live") latest.clear();
      for (const tab of tabs.values()) tab.listener.tell({ kind: "connection", connection, globalSeq });
    },
  });

  const join = (tab: Tab): void => {
    tabs.set(tab.listener, tab);
    tab.listener.tell({ kind: "connection", connection, globalSeq });
    tab.listener.tell({ kind: "news", events: [], live: latest.items(), touched: [], globalSeq });
  };

  return {
    add(listener) {
      const tab: Tab = { listener, runs: new Set(), heardAt: Date.now() };
      join(tab);
      return (message) => {
        tab.heardAt = Date.now();
        // It was forgotten, since it slept: it looks itself what it has missed.
        if (!tabs.has(listener) && message.kind !== "bye") join(tab);
        switch (message.kind) {
          case "watch": {
            const added = message.runs.filter((runId) => !tab.runs.has(runId));
            tab.runs = new Set(message.runs);
            // What it has read so far may be older than what comes now.
            if (added.length > 0) listener.tell({ kind: "watching", runs: added });
            break;
          }
          case "retry":
            upstream.retry();
            break;
          case "bye":
            tabs.delete(listener);
            break;
          default:
            message satisfies never;
        }
      };
    },
  };
}

/** Each kind of thing that happened to each run, once. */
function touches(events: readonly Recorded[]): Touch[] {
  const seen = new Map<string, Touch>();
  for (const { stream, event } of events) seen.set(`${stream} ${event.type}`, { runId: runIdOf(stream) ?? "", type: event.type });
  return [...seen.values()];
}
