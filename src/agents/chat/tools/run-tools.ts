import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { jsonSchema, tool, type ToolSet } from "ai";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { z } from "zod";
import { runTools, runToolSchema, type RunTool } from "../../../domain/index.ts";

const firstWaitMs = 100;
const longestWaitMs = 2_000;

const Answer = z.object({
  result: z.object({ content: z.array(z.object({ type: z.literal("text"), text: z.string() })), isError: z.boolean().optional() }),
});
const Problem = z.object({ error: z.object({ message: z.string() }) });

export interface RunToolsOptions {
  /** The attempt's MCP endpoint. */
  url: string;
  /** How long one that cannot be reached is tried again. */
  reconnectMs: number;
}

/** The tools of the run that the agent works in, by its MCP endpoint. */
export function createRunTools(options: RunToolsOptions): ToolSet {
  const entries = (Object.keys(runTools) as RunTool[]).map((name) => {
    const { description } = runTools[name];
    const execute = (asked: unknown, { abortSignal }: { abortSignal?: AbortSignal | undefined }): Promise<string> =>
      answerOf(options, name, asked, abortSignal);
    // Bounds are the endpoint's to check: what it refuses, the model is told as the tool's answer.
    return [name, tool({ description, inputSchema: jsonSchema(runToolSchema(name)), execute })] as const;
  });
  return Object.fromEntries(entries);
}

/** Asks under one id, however often the connection breaks meanwhile: it is recorded once, and its answer is not lost. */
async function answerOf({ url, reconnectMs }: RunToolsOptions, name: RunTool, input: unknown, signal?: AbortSignal): Promise<string> {
  const id = randomUUID();
  let lostSince: number | undefined;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const asked = performance.now();
    const heard = await ask(url, { name, arguments: input, _meta: { "stepfall/request": id } }, signal);
    if (heard.kind === "answer") return heard.text;
    // What had waited for long had a connection until now.
    const now = performance.now();
    if (lostSince === undefined || now - asked > reconnectMs) lostSince = now;
    if (now - lostSince > reconnectMs || signal?.aborted) return `Error: the run cannot be reached (${heard.problem})`;
    await sleep(waitMs);
  }
}

type Heard = { kind: "answer"; text: string } | { kind: "lost"; problem: string };

async function ask(url: string, params: object, signal: AbortSignal | undefined): Promise<Heard> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
      ...(signal ? { signal } : {}),
    });
    const isStream = response.headers.get("content-type")?.includes("text/event-stream") ?? false;
    if (!isStream || !response.body) {
      const text = await response.text();
      // A gateway that has just come up does not know the key yet.
      if (response.status === 503) return { kind: "lost", problem: "its gateway begins anew" };
      return { kind: "answer", text: wordsOf(text) ?? `Error: the run answered HTTP ${response.status}` };
    }
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { data } of events) {
      const text = wordsOf(data);
      if (text !== undefined) return { kind: "answer", text };
    }
    return { kind: "lost", problem: "the connection ended before an answer" };
  } catch (error) {
    const { message, cause } = error as Error;
    return { kind: "lost", problem: cause instanceof Error ? cause.message : message };
  }
}

/** What an answer says; `undefined` where it is none. */
function wordsOf(message: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(message);
  } catch {
    return undefined;
  }
  const answer = Answer.safeParse(json);
  const text = answer.data?.result.content.map((part) => part.text).join("\n");
  if (answer.success) return answer.data.result.isError ? `Refused: ${text}` : text;
  const problem = Problem.safeParse(json);
  return problem.success ? `Error: ${problem.data.error.message}` : undefined;
}
