import { randomUUID } from "node:crypto";
import { endingCode } from "./answers.ts";
import type { GatewayClient, KeySpec, KeyUsage, OpenKey } from "./contract.ts";
import { GatewayError } from "./errors.ts";
import { usageFromSpool } from "./key-usage.ts";
import { keyIdOf } from "./keys.ts";
import { isAlive, thisProcess } from "./process-identity.ts";
import { gatewayProtocol, type GatewayRecord } from "./record.ts";

/** A gateway that knows this engine. */
export interface Attached {
  record: GatewayRecord;
  client: string;
}

const urlOf = (record: GatewayRecord): string => `http://127.0.0.1:${record.port}`;

const gone = (record: GatewayRecord, cause?: unknown): GatewayError =>
  new GatewayError("GATEWAY_GONE", `The gateway (pid ${record.pid}) is gone.`, "Connect again: that starts a new one.", { cause });

async function call<T>(record: GatewayRecord, method: string, path: string, body?: unknown, timeoutMs = 30_000): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(urlOf(record) + path, {
      method,
      headers: { authorization: `Bearer ${record.adminToken}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
  } catch (cause) {
    if (!isAlive(record)) throw gone(record, cause);
    const message = `The gateway (pid ${record.pid}) lives and did not answer.`;
    throw new GatewayError("GATEWAY_UNREACHABLE", message, "Try again; if it stays so, end that process.", { cause });
  }
  const json = JSON.parse(text) as T & { error?: { message?: string; code?: string } };
  if (json.error?.code === endingCode) throw gone(record);
  if (!response.ok)
    throw new GatewayError("GATEWAY_REFUSED", `The gateway refused: ${json.error?.message ?? response.status}`, "Correct the request.");
  return json;
}

/** Registers this engine at a gateway. `undefined` when it does not answer (yet, or any more). */
export async function sayHello(record: GatewayRecord): Promise<Attached | undefined> {
  if (record.protocol !== gatewayProtocol)
    throw new GatewayError(
      "GATEWAY_OTHER_VERSION",
      `The running gateway (pid ${record.pid}) speaks protocol ${record.protocol}, this Stepfall ${gatewayProtocol}.`,
      "Let the other version's runs end, or use another STEPFALL_HOME.",
    );
  const client = randomUUID();
  try {
    await call(record, "POST", "/admin/hello", { client, ...thisProcess() }, 2_000);
    return { record, client };
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** The client of one engine. When its gateway is gone the next key is opened at a new one. */
export function createClient(first: Attached, attach: () => Promise<Attached>, spool: string): GatewayClient {
  let attached = first;
  let again: Promise<Attached> | undefined;
  const reattach = async (): Promise<void> => {
    again ??= attach().finally(() => (again = undefined));
    attached = await again;
  };
  const open = (spec: KeySpec): Promise<OpenKey> => call(attached.record, "POST", "/admin/keys", spec);
  return {
    spool,
    get url() {
      return urlOf(attached.record);
    },
    get pid() {
      return attached.record.pid;
    },
    async openKey(spec) {
      try {
        return await open(spec);
      } catch (error) {
        if (!(error instanceof GatewayError && error.code === "GATEWAY_GONE")) throw error;
        await reattach();
        return open(spec);
      }
    },
    async closeKey(key) {
      try {
        return await call<KeyUsage>(attached.record, "POST", "/admin/keys/close", { key }, 120_000);
      } catch (error) {
        if (!(error instanceof GatewayError && error.code === "GATEWAY_GONE")) throw error;
        return usageFromSpool(spool, keyIdOf(key));
      }
    },
    async disconnect() {
      await call(attached.record, "POST", "/admin/goodbye", { client: attached.client }).catch(() => undefined);
    },
  };
}
