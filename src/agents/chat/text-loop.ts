import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText, type ModelMessage } from "ai";
import { classifyFailure } from "./failure.ts";
import { failed, isConnectionLost, type LoopEnd, type LoopOptions } from "./loop.ts";
import { Paragraphs } from "./paragraphs.ts";
import { patientFetch } from "./patient-fetch.ts";
import { cut } from "./protocol.ts";
import { answerReads, carryOut, readsOf, type ReadReply } from "./text-edits.ts";
import { textPrompt } from "./text-prompt.ts";
import { listFiles } from "./tools/list.ts";
import type { Tree } from "./tools/tree.ts";

export interface TextLoopOptions extends Omit<LoopOptions, "tools" | "givenUp"> {
  tree: Tree;
  readReply: ReadReply;
}

/** What one answer was, or how it failed. */
type Reply = { ok: true; text: string } | { ok: false; end: LoopEnd };

/**
 * For a model without tool calls: its replies are read as edits and carried out; what it asked to see and what could not be applied
 * goes back to it, until a reply asks for nothing more. A reply that changed files and had no problem is the last one, too.
 */
export async function runTextLoop(options: TextLoopOptions): Promise<LoopEnd> {
  const { tree, prompt, maxTurns, readReply, send } = options;
  const messages: ModelMessage[] = [{ role: "user", content: `${prompt}\n\nThe files of the work tree:\n${listFiles(tree, ".")}` }];
  for (let turn = 1; turn <= maxTurns; turn++) {
    const reply = await ask(options, messages, turn);
    if (!reply.ok) return reply.end;
    const { text } = reply;
    const outcome = await carryOut(tree, text, readReply);
    for (const [i, done] of outcome.done.entries()) {
      const id = `reply-${turn}-${i + 1}`;
      const [name = "", path = ""] = done.split(/ (.*)/s);
      send({ type: "tool", id, name: `${name}_file`, label: cut(done, 200), input: cut(path) });
      send({ type: "tool-result", id, name: `${name}_file`, output: "done" });
    }
    const reason = /^\s*GIVE UP:\s*(.*)$/m.exec(text)?.[1];
    if (reason !== undefined) return failed("agent", `the model gave up: ${reason.trim() || "without a reason"}`);
    const reads = readsOf(text);
    if (reads.length === 0 && outcome.problems.length === 0) return { type: "done", summary: cut(text.trim()) };
    const answer = [
      ...(outcome.done.length > 0 ? [`Applied: ${outcome.done.join(", ")}.`] : []),
      ...(outcome.problems.length > 0 ? ["Not applied:", ...outcome.problems] : []),
      ...answerReads(tree, reads),
    ].join("\n\n");
    messages.push({ role: "assistant", content: text }, { role: "user", content: answer });
  }
  return failed("agent", `not done after ${maxTurns} turns`);
}

async function ask(options: TextLoopOptions, messages: readonly ModelMessage[], turn: number): Promise<Reply> {
  const { gateway, maxRetries, reconnectMs, send } = options;
  const provider = createOpenAICompatible({
    name: "gateway",
    baseURL: gateway.url,
    apiKey: gateway.key,
    includeUsage: true,
    fetch: patientFetch(reconnectMs),
  });
  const paragraphs = new Paragraphs((text) => send({ type: "text", text }));
  let failure: unknown;
  let text = "";
  let reason: string | undefined;
  try {
    const { stream } = streamText({
      model: provider(gateway.model),
      instructions: textPrompt,
      messages: [...messages],
      maxRetries,
      streamRetries: 0,
      onError: ({ error }) => (isConnectionLost(error) ? { retry: true } : undefined),
    });
    for await (const part of stream) {
      switch (part.type) {
        // An answer whose connection broke begins anew.
        case "start-step":
        case "text-start":
          text = "";
          break;
        case "text-delta":
          text += part.text;
          paragraphs.add(part.text);
          break;
        case "text-end":
          paragraphs.end();
          break;
        case "finish-step": {
          const { inputTokens, outputTokens, inputTokenDetails } = part.usage;
          send({ type: "usage", turn, inputTokens, cachedInputTokens: inputTokenDetails.cacheReadTokens, outputTokens });
          reason = part.finishReason;
          break;
        }
        case "error":
          failure ??= part.error;
          break;
        default:
          break;
      }
    }
  } catch (error) {
    failure ??= error;
  }
  paragraphs.end();
  if (failure !== undefined) {
    const { because, message } = classifyFailure(failure);
    return { ok: false, end: failed(because, message) };
  }
  if (reason === undefined || reason === "error") return { ok: false, end: failed("provider", "the model's answer ended in the middle") };
  if (reason === "content-filter") return { ok: false, end: failed("agent", "the model refused to answer (content filter)") };
  // Cut at its limit: what is whole in it counts, the rest is reported to the model as cut off.
  return text.trim() === "" ? { ok: false, end: failed("agent", "the model answered with nothing") } : { ok: true, text };
}
