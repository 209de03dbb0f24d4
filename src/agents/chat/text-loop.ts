import { streamText, type ModelMessage } from "ai";
import { listen, modelAt } from "./listen.ts";
import { brokenEnd, failed, type LoopEnd, type LoopOptions } from "./loop.ts";
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
  const { tree, prompt, maxTurns, readReply, send, incoming } = options;
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
    const isOver = reads.length === 0 && outcome.problems.length === 0;
    if (isOver && (!incoming.isWaiting || turn === maxTurns)) return { type: "done", summary: cut(text.trim()) };
    const answer = [
      ...(outcome.done.length > 0 ? [`Applied: ${outcome.done.join(", ")}.`] : []),
      ...(outcome.problems.length > 0 ? ["Not applied:", ...outcome.problems] : []),
      ...answerReads(tree, reads),
    ].join("\n\n");
    messages.push({ role: "assistant", content: text });
    if (!isOver) messages.push({ role: "user", content: answer });
    messages.push(...incoming.take(send));
  }
  return failed("agent", `not done after ${maxTurns} turns`);
}

async function ask(options: TextLoopOptions, messages: readonly ModelMessage[], turn: number): Promise<Reply> {
  const open = () => streamText({ ...modelAt(options), instructions: textPrompt, messages: [...messages] }).stream;
  const heard = await listen(open, { send: options.send, turn: () => turn });
  const broken = brokenEnd(heard);
  if (broken) return { ok: false, end: broken };
  // Cut at its limit: what is whole in it counts, the rest is reported to the model as cut off.
  return heard.text.trim() === "" ? { ok: false, end: failed("agent", "the model answered with nothing") } : { ok: true, text: heard.text };
}
