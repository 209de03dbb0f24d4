import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Role, type AgentCard, type Message } from "@a2a-js/sdk";
import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, type Client } from "@a2a-js/sdk/client";
import { requestParts } from "./a2a-parts.ts";
import { TaskView } from "./a2a-task.ts";
import type { RemoteOutcome, RemoteRequest } from "./contract.ts";
import type { Endpoint } from "./endpoint.ts";

/** How long a cancelled agent may take to say that it stopped. */
const CANCEL_MS = 10_000;
const POLL_MS = 1000;

export type Connected = { ok: true; client: Client; name: string } | { ok: false; problem: string };

/** Reads the agent's card and opens its JSON-RPC interface. A card that sends us to another origin is not followed. */
export async function connectA2a({ url, fetch }: Endpoint, signal: AbortSignal): Promise<Connected> {
  const fetchImpl: typeof globalThis.fetch = (to, init) => fetch(to, { ...init, signal: init?.signal ?? signal });
  const cardPath = url.pathname.endsWith(".json") ? url.href : undefined;
  const base = url.href.endsWith("/") ? url.href : `${url.href}/`;
  const card: AgentCard = await new DefaultAgentCardResolver({ fetchImpl }).resolve(base, cardPath);
  const interfaces = card.supportedInterfaces.filter(({ protocolBinding }) => protocolBinding === "JSONRPC");
  if (interfaces.length === 0) return { ok: false, problem: `${card.name} offers no JSON-RPC interface, the only one supported yet` };
  if (!interfaces.some((one) => one.protocolVersion.startsWith("1.")))
    return { ok: false, problem: `${card.name} speaks A2A ${interfaces.map((one) => one.protocolVersion).join(", ")}; 1.0 is supported` };
  const elsewhere = interfaces.find((one) => new URL(one.url).origin !== url.origin);
  if (elsewhere)
    return { ok: false, problem: `the card of ${card.name} leads to ${new URL(elsewhere.url).origin}: register it with that URL` };
  const factory = new ClientFactory({ transports: [new JsonRpcTransportFactory({ fetchImpl })] });
  return { ok: true, client: await factory.createFromAgentCard(card), name: card.name };
}

/** One task, from the message to its last state. When `signal` aborts, the task is cancelled before this rejects. */
export async function runTask(
  client: Client,
  request: RemoteRequest,
  { signal, progress }: { signal: AbortSignal; progress(text: string): void },
): Promise<RemoteOutcome> {
  const view = new TaskView(progress);
  const closing = new AbortController();
  const work = follow(client, request, view, closing.signal);
  work.catch(() => {}); // told below, or after the abort by nobody
  const aborted = Promise.withResolvers<void>();
  if (signal.aborted) aborted.resolve();
  signal.addEventListener("abort", () => aborted.resolve(), { once: true });
  try {
    const outcome = await Promise.race([work, aborted.promise]);
    if (outcome && view.isOver) return outcome;
    await cancel(client, view);
    if (outcome) return outcome;
    throw signal.reason;
  } catch (error) {
    if (!signal.aborted) await cancel(client, view);
    throw error;
  } finally {
    closing.abort();
  }
}

/** So that it does not go on, at somebody's cost, with what nobody waits for. */
async function cancel(client: Client, view: TaskView): Promise<void> {
  // The answer with the task's id may be on its way.
  for (let tries = 0; tries < 20 && view.id === undefined; tries++) await sleep(50);
  if (view.id === undefined || view.isOver) return;
  try {
    await client.cancelTask({ tenant: "", id: view.id, metadata: undefined }, { signal: AbortSignal.timeout(CANCEL_MS) });
  } catch {
    // it ended meanwhile, or does not answer: nothing more can be done from here
  }
}

async function follow(client: Client, request: RemoteRequest, view: TaskView, signal: AbortSignal): Promise<RemoteOutcome> {
  const message: Message = {
    messageId: randomUUID(),
    contextId: "",
    taskId: "",
    role: Role.ROLE_USER,
    parts: requestParts(request),
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  };
  let broken: unknown;
  try {
    for await (const event of client.sendMessageStream(
      { tenant: "", message, configuration: undefined, metadata: undefined },
      { signal },
    )) {
      view.take(event);
      const outcome = view.outcome();
      if (outcome) return outcome;
    }
  } catch (error) {
    if (view.id === undefined || signal.aborted) throw error;
    broken = error;
  }
  // The stream ended before the task: some agents do not stream, some connections do not last.
  for (;;) {
    if (view.id === undefined) return { kind: "failed", because: "crash", message: "the remote agent said nothing at all" };
    try {
      view.takeTask(await client.getTask({ tenant: "", id: view.id }, { signal }));
    } catch (error) {
      throw broken ?? error;
    }
    const outcome = view.outcome();
    if (outcome) return outcome;
    await sleep(POLL_MS, undefined, { signal });
  }
}
