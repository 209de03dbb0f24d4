import type { ServerContext } from "@modelcontextprotocol/server";
import type { Clock } from "../../domain/index.ts";

/** Clients that were told something lately do not give a call up: at least so often. */
const EVERY_MS = 5000;

/** Tells a client that wants to know it how far a call is: when the text changes, and now and then. */
export function startProgress(ctx: ServerContext, clock: Clock): { say: (text: string) => void } & Disposable {
  const token = ctx.mcpReq._meta?.progressToken;
  const from = clock.now();
  let lastText = "";
  let lastAt = Number.NEGATIVE_INFINITY;
  let lastProgress = -1;
  let isOver = false;
  return {
    say(message) {
      const now = clock.now();
      if (token === undefined || isOver || (message === lastText && now - lastAt < EVERY_MS)) return;
      lastText = message;
      lastAt = now;
      // It has to grow, and how long a run takes nobody knows: seconds.
      lastProgress = Math.max((now - from) / 1000, lastProgress + 0.001);
      const params = { progressToken: token, progress: lastProgress, message };
      // Whoever has gone needs no progress; the call ends by its signal.
      ctx.mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
    },
    [Symbol.dispose]() {
      isOver = true;
    },
  };
}
