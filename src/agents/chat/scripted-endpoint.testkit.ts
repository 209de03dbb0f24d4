import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One answer of the scripted model. It stands in for the model only; everything else in the tests is real. */
export interface ScriptedTurn {
  text?: string;
  tools?: readonly { name: string; args: unknown }[];
  /** Answers an error instead. */
  status?: number;
  error?: { message: string; type?: string };
  /** Sends an error within the stream, after the text. */
  streamError?: { message: string; type?: string };
  /** Cuts the connection after the text, or after the tool calls. */
  cutOff?: true | "late";
  /** Goes on with text for ever. */
  endless?: boolean;
  finishReason?: string;
}

export interface ScriptedRequest {
  path: string;
  authorization: string | undefined;
  body: { model?: string; messages?: { role: string; content: unknown }[]; tools?: { function: { name: string } }[] };
}

export interface ScriptedEndpoint {
  url: string;
  requests: ScriptedRequest[];
  /** The answers to come; the last one is repeated. */
  script(turns: readonly ScriptedTurn[]): void;
  /** What the tools answered, as the model saw it, in order. */
  toolResults(): string[];
  close(): Promise<void>;
}

/** An OpenAI-compatible streaming endpoint on 127.0.0.1 that answers by script. Every call costs 11 tokens in (5 cached), 7 out. */
export async function startScriptedEndpoint(port = 0): Promise<ScriptedEndpoint> {
  const requests: ScriptedRequest[] = [];
  let turns: ScriptedTurn[] = [];
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let raw = "";
    for await (const chunk of request) raw += chunk;
    if (request.url?.endsWith("/models")) {
      const isOpen = request.headers.authorization === "Bearer sf-test-key";
      response.writeHead(isOpen ? 200 : 401, { "content-type": "application/json" });
      response.end(JSON.stringify(isOpen ? { object: "list", data: [{ id: "scripted" }] } : { error: { message: "no such key" } }));
      return;
    }
    requests.push({ path: request.url ?? "", authorization: request.headers.authorization, body: JSON.parse(raw) });
    const turn = (turns.length > 1 ? turns.shift() : turns[0]) ?? { text: "nothing is scripted" };
    if (turn.status !== undefined) {
      response.writeHead(turn.status, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: turn.error ?? { message: "scripted failure" } }));
      return;
    }
    await stream(turn, response);
  }

  return {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    },
    requests,
    script: (next) => void (turns = [...next]),
    toolResults: () => {
      const messages = requests.at(-1)?.body.messages ?? [];
      return messages.filter((message) => message.role === "tool").map((message) => String(message.content));
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
    ...(await new Promise<object>((resolve) => server.listen(port, "127.0.0.1", () => resolve({})))),
  };
}

async function stream(turn: ScriptedTurn, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const chunk = (delta: object, finish: string | null = null) =>
    response.write(
      `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "scripted", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    );
  chunk({ role: "assistant" });
  for (const piece of turn.text?.match(/[\s\S]{1,7}/g) ?? []) chunk({ content: piece });
  while (turn.endless && !response.destroyed) {
    chunk({ content: `${"and on ".repeat(200)}\n` });
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (turn.streamError) response.write(`data: ${JSON.stringify({ error: turn.streamError })}\n\n`);
  if (turn.cutOff === true) return cut(response);
  for (const [index, { name, args }] of (turn.tools ?? []).entries()) {
    const text = typeof args === "string" ? args : JSON.stringify(args);
    chunk({
      tool_calls: [{ index, id: `call-${Math.random().toString(36).slice(2)}`, type: "function", function: { name, arguments: "" } }],
    });
    for (const piece of text.match(/[\s\S]{1,30}/g) ?? []) chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  if (turn.cutOff === "late") return cut(response);
  chunk({}, turn.finishReason ?? (turn.tools ? "tool_calls" : "stop"));
  const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18, prompt_tokens_details: { cached_tokens: 5 } };
  response.write(
    `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "scripted", choices: [], usage })}\n\n`,
  );
  response.end("data: [DONE]\n\n");
}

/** Once what was said before has gone out. */
async function cut(response: ServerResponse): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  response.destroy();
}
