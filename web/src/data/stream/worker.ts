import { createHub } from "./hub.ts";
import type { ToStream } from "./messages.ts";

/** The shared worker: one for all tabs of the browser, so that a tenth tab costs no further connection. */
const hub = createHub("/api/v1/stream");

interface Shared {
  addEventListener(type: "connect", heard: (event: MessageEvent) => void): void;
}

(globalThis as unknown as Shared).addEventListener("connect", (event) => {
  const [port] = event.ports;
  if (!port) return;
  const hear = hub.add({ tell: (message) => port.postMessage(message) });
  port.addEventListener("message", (said: MessageEvent<ToStream>) => hear(said.data));
  port.start();
});
