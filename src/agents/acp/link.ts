import { client, type ClientConnection, type ClientContext, type Stream } from "@agentclientprotocol/sdk";
import type { AgentHandle } from "../contract.ts";
import { LastLines } from "../last-lines.ts";
import { MessageReader } from "./message-reader.ts";
import { Recorded } from "./recorded.ts";

/** What the agent may ask of us or tell us. Parameters come as they are: each is read tolerantly where it is used. */
export interface LinkHandlers {
  update(params: unknown): void;
  permission(params: unknown, signal: AbortSignal): Promise<unknown>;
  /** It asked leave and was answered, before the agent was taken up. */
  answered(params: unknown): void;
}

/** An ACP connection over a process that a host owns. */
export interface Link {
  agent: ClientContext;
  connection: ClientConnection;
  /** What it printed that is no message, and what it wrote to stderr. */
  noise: LastLines;
  /** Lines on stdout that were no messages. */
  malformed(): number;
  /** All output was read. */
  ended: Promise<void>;
}

export function connectAgent(handle: AgentHandle, handlers: LinkHandlers): Link {
  const noise = new LastLines(20);
  const asked = new Set<unknown>();
  const recorded = new Recorded(handle.inputs ?? []);
  let malformed = 0;
  let incoming!: ReadableStreamDefaultController<Message>;
  const readable = new ReadableStream<Message>({ start: (controller) => void (incoming = controller) });
  const writable = new WritableStream<Message>({
    async write(message) {
      if ("method" in message && "id" in message) asked.add(message.id);
      await handle.send(recorded.request(message) ?? `${JSON.stringify(message)}\n`);
    },
  });
  // Notifications do not pass through the library: it checks updates against the protocol of its day, drops those of a later one,
  // and complains on our own stderr.
  const take = (message: Message): void => {
    const answer = message["method"] === "session/request_permission" ? recorded.answerTo(message) : undefined;
    if (message["method"] === "session/update" && !("id" in message)) handlers.update(message["params"]);
    else if (answer !== undefined) {
      handlers.answered(message["params"]);
      handle.send(answer).catch(() => {}); // it is gone: the end of its output tells
    } else if (isExpected(message, asked)) enqueue(incoming, message);
  };
  const ended = (async () => {
    const reader = new MessageReader();
    for await (const line of handle.lines()) {
      if (line.stream === "stderr") {
        noise.add(line.text);
        continue;
      }
      for (const read of reader.push(line.text)) {
        if (read.kind === "malformed") {
          malformed += 1;
          noise.add(read.text);
        } else if (read.kind === "message") take(read.message);
      }
    }
    // The connection may have closed it before.
    try {
      incoming.close();
    } catch {}
  })();
  const connection = client({ name: "stepfall" })
    .onRequest("session/request_permission", asItIs, ({ params, signal }) => handlers.permission(params, signal))
    .connect({ readable, writable } as Stream);
  return { agent: connection.agent, connection, noise, malformed: () => malformed, ended };
}

type Message = Record<string, unknown>;

const asItIs = (params: unknown): unknown => params;

/** Requests, cancelled requests, and answers to what was asked; the library would complain about others. */
function isExpected(message: Message, asked: Set<unknown>): boolean {
  if (!("method" in message)) return asked.delete(message["id"]);
  return typeof message["method"] === "string" && ("id" in message || message["method"] === "$/cancel_request");
}

function enqueue(controller: ReadableStreamDefaultController<Message>, message: Message): void {
  try {
    controller.enqueue(message);
  } catch {
    // closed: nobody reads any more
  }
}
