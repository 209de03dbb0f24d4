import type { Recorded } from "../../../../src/domain/index.ts";
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
      events.push(event);
      soon();
    },
    live: (item) => {
      live.push(item);
      soon();
    },
    connection: (now, seq) => {
      connection = now;
      globalSeq = Math.max(globalSeq, seq);
      for (const tab of tabs.values()) tab.listener.tell({ kind: "connection", connection, globalSeq });
    },
  });

  return {
    add(listener) {
      const tab: Tab = { listener, runs: new Set(), heardAt: Date.now() };
      tabs.set(listener, tab);
      listener.tell({ kind: "connection", connection, globalSeq });
      return (message) => {
        tab.heardAt = Date.now();
        if (!tabs.has(listener) && message.kind !== "bye") {
          // It was forgotten, since it slept: it looks itself what it has missed.
          tabs.set(listener, tab);
          listener.tell({ kind: "connection", connection, globalSeq });
        }
        switch (message.kind) {
          case "watch":
            tab.runs = new Set(message.runs);
            break;
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
