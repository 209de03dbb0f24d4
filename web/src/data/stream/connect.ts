import { createHub, TAB_SILENT_MS } from "./hub.ts";
import type { FromStream, ToStream } from "./messages.ts";

/** Joins the browser's one stream; where there is no shared worker (Chrome on Android), opens one for this tab. */
export function joinStream(heard: (message: FromStream) => void): (message: ToStream) => void {
  const tell = typeof SharedWorker === "undefined" ? joinAlone(heard) : joinShared(heard);
  window.addEventListener("pagehide", () => tell({ kind: "bye" }));
  return tell;
}

const joinAlone = (heard: (message: FromStream) => void) => createHub("/api/v1/stream").add({ tell: heard });

function joinShared(heard: (message: FromStream) => void): (message: ToStream) => void {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "stepfall-stream" });
  let last: ToStream = { kind: "watch", runs: [] };
  let alone: ((message: ToStream) => void) | undefined;
  // Its file is gone, since the server was updated after this page was loaded: a stream of one's own is better than none.
  worker.addEventListener("error", () => {
    alone ??= joinAlone(heard);
    alone(last);
  });
  const tell = (message: ToStream): void => {
    if (message.kind === "watch") last = message;
    if (alone) return alone(message);
    // A port, and no window: it has one other end.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.port.postMessage(message);
  };
  worker.port.addEventListener("message", (event: MessageEvent<FromStream>) => heard(event.data));
  worker.port.start();
  // Also says that this tab is still there.
  setInterval(() => tell(last), TAB_SILENT_MS / 3);
  // A page that comes back from the history was away: what it watches is told anew.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) tell(last);
  });
  return tell;
}
