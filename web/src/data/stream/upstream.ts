import type { Recorded } from "../../../../src/domain/index.ts";
import type { Connection, LiveItem } from "./messages.ts";

export interface Upstream {
  retry(): void;
  close(): void;
}

interface Heard {
  journal(event: Recorded): void;
  live(item: LiveItem): void;
  connection(connection: Connection, globalSeq: number): void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;
/** A server that was stopped in the middle takes connections and says nothing: it is as good as gone. */
const ANSWER_MS = 5_000;

/**
 * The server's stream, for as long as somebody listens: taken up again after the last event that came, whatever ended it. The browser's own
 * EventSource would give up for good at the first answer that is no stream (a server that is just starting); so each is closed at its first error,
 * and the next one asks for what follows the last event.
 */
export function openUpstream(url: string, heard: Heard): Upstream {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let after: number | undefined;
  let wait = FIRST_WAIT_MS;
  let isClosed = false;
  let connection: Connection = { state: "connecting" };

  const tell = (next: Connection): void => {
    connection = next;
    heard.connection(connection, after ?? 0);
  };

  const open = (): void => {
    if (isClosed) return;
    clearTimeout(timer);
    source?.close();
    const opened = new EventSource(after === undefined ? url : `${url}?after=${after}`);
    source = opened;
    opened.addEventListener("hello", (message: MessageEvent<string>) => {
      const hello = JSON.parse(message.data) as { globalSeq: number; version: string };
      // The first time what follows is wanted from here; later ones asked for what follows the last event, which is still to come.
      // A journal that was put back is behind it.
      after = Math.min(after ?? hello.globalSeq, hello.globalSeq);
      wait = FIRST_WAIT_MS;
      tell({ state: "live", version: hello.version });
    });
    opened.addEventListener("journal", (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as Recorded;
      if (after !== undefined && event.globalSeq <= after) return;
      after = event.globalSeq;
      heard.journal(event);
    });
    opened.addEventListener("live", (message: MessageEvent<string>) => heard.live(liveItem(JSON.parse(message.data) as LiveItem)));
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      opened.close();
      void again(opened);
    });
  };

  /** Tells a server that wants a login from one that is gone, and from one that only ended this stream: an EventSource does not say which. */
  const again = async (ended: EventSource): Promise<void> => {
    const asking = { headers: { accept: "application/json" }, signal: AbortSignal.timeout(ANSWER_MS) };
    const answer = await fetch("/api/v1/me", asking).catch(() => undefined);
    // Somebody did not want to wait: another one is open by now.
    if (isClosed || source !== ended) return;
    const isRefused = answer?.status === 401 || answer?.status === 403;
    tell({ ...connection, state: isRefused ? "refused" : answer ? "connecting" : "lost" });
    timer = setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  };

  open();
  return {
    retry(): void {
      if (connection.state === "live") return;
      wait = FIRST_WAIT_MS;
      open();
    },
    close(): void {
      isClosed = true;
      clearTimeout(timer);
      source?.close();
    },
  };
}

/** As engines write them: `kind` where the command line says `type`, and the run in the attempt's id. */
function liveItem(raw: LiveItem & { kind?: string }): LiveItem {
  return { ...(raw as object), type: raw.kind ?? raw.type, runId: raw.runId ?? raw.attempt.split("/")[0] } as LiveItem;
}
