import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { endingCode } from "./answers.ts";
import { GatewayError } from "./errors.ts";
import { isAlive, thisProcess } from "./process-identity.ts";
import { gatewayProtocol } from "./folder.ts";
import { type GatewayRecord } from "./record.ts";

/** A gateway that knows this engine. */
export interface Attached {
  record: GatewayRecord;
  client: string;
}

export const urlOf = (record: GatewayRecord): string => `http://127.0.0.1:${record.port}`;

/** How often a request is made whose connection broke though the gateway lives: its worker was killed, and another comes up. */
const mostTries = 5;

const gone = (record: GatewayRecord, cause?: unknown): GatewayError =>
  new GatewayError("GATEWAY_GONE", `The gateway (pid ${record.pid}) is gone.`, "Connect again: that starts a new one.", { cause });

/** Asks the gateway's admin API. Every request of it may be made twice. */
export async function call<T>(
  record: GatewayRecord,
  method: string,
  path: string,
  body?: unknown,
  timeoutMs = 30_000,
  tries = mostTries,
  over?: AbortSignal,
): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(urlOf(record) + path, {
      method,
      headers: { authorization: `Bearer ${record.adminToken}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: over ? AbortSignal.any([over, AbortSignal.timeout(timeoutMs)]) : AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (cause) {
    if (over?.aborted) throw cause;
    if (!isAlive(record)) throw gone(record, cause);
    if (tries > 1 && !isTimeout(cause)) {
      await sleep(50);
      return call(record, method, path, body, timeoutMs, tries - 1, over);
    }
    const message = `The gateway (pid ${record.pid}) lives and did not answer.`;
    throw new GatewayError("GATEWAY_UNREACHABLE", message, "Try again; if it stays so, end that process.", { cause });
  }
  const json = JSON.parse(text) as T & { error?: { message?: string; code?: string } };
  if (json.error?.code === endingCode) throw gone(record);
  if (!response.ok)
    throw new GatewayError("GATEWAY_REFUSED", `The gateway refused: ${json.error?.message ?? response.status}`, "Correct the request.");
  return json;
}

const isTimeout = (cause: unknown): boolean => cause instanceof Error && cause.name === "TimeoutError";

/**
 * Calls `onEnd` once when the process that answers there is gone: a connection that is kept open breaks at once. Watching keeps no process
 * alive. Answers how to stop.
 */
export function watchGateway(record: GatewayRecord, onEnd: () => void): () => void {
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    onEnd();
  };
  const req = request(`${urlOf(record)}/admin/watch`, { agent: false, headers: { authorization: `Bearer ${record.adminToken}` } });
  req.once("socket", (socket) => socket.unref());
  req.once("response", (res) => {
    res.once("close", end);
    res.on("error", end);
    res.resume();
  });
  req.on("error", end);
  req.end();
  return () => {
    over = true;
    req.destroy();
  };
}

/** Registers this engine at a gateway. `undefined` when it does not answer (yet, or any more). */
export async function sayHello(record: GatewayRecord, client: string): Promise<Attached | undefined> {
  if (record.protocol !== gatewayProtocol)
    throw new GatewayError(
      "GATEWAY_OTHER_VERSION",
      `The running gateway (pid ${record.pid}) speaks protocol ${record.protocol}, this Stepfall ${gatewayProtocol}.`,
      "Let the other version's runs end, or use another STEPFALL_HOME.",
    );
  try {
    await call(record, "POST", "/admin/hello", { client, ...thisProcess() }, 2_000);
    return { record, client };
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}
