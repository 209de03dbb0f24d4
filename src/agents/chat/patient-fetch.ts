import { setTimeout as sleep } from "node:timers/promises";

/** Type of the error put into a stream whose connection broke: such a step is asked again, once. */
export const connectionLost = "connection_lost";

const firstWaitMs = 100;
const longestWaitMs = 2_000;

/** The other end went away: nobody listened, or whoever did ended in the middle. */
const broken = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

/**
 * `fetch` for a gateway that may be started again under the agent: a connection that is refused or breaks before an answer is tried again, with
 * growing waits, for `reconnectMs`. That is apart from the retries of what a provider answers. A stream that breaks off ends with an error
 * event of type `connection_lost`, where it would just throw. A call that was under way when the connection broke and is made again is a second
 * call, on the bill twice, as at the provider.
 */
export function patientFetch(reconnectMs: number): typeof fetch {
  return async (input, init) => {
    const started = performance.now();
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        const response = await fetch(input, init);
        const isStream = response.headers.get("content-type")?.includes("text/event-stream");
        return isStream && response.body ? withLastWord(response, response.body) : response;
      } catch (error) {
        if (!isBroken(error) || performance.now() - started + waitMs > reconnectMs) throw error;
        await sleep(waitMs, undefined, init?.signal ? { signal: init.signal } : {});
      }
    }
  };
}

function isBroken(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (broken.has((at as NodeJS.ErrnoException).code ?? "")) return true;
  return false;
}

function withLastWord(response: Response, body: ReadableStream<Uint8Array>): Response {
  const reader = body.getReader();
  const passed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        if (!isBroken(error)) return controller.error(error);
        const message = `the connection to the model endpoint broke off (${(error as Error).message})`;
        // The line that was cut is ended first.
        const event = `\n\ndata: ${JSON.stringify({ error: { message, type: connectionLost } })}\n\n`;
        controller.enqueue(new TextEncoder().encode(event));
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(passed, { status: response.status, statusText: response.statusText, headers: response.headers });
}
