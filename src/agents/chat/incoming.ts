import type { ModelMessage } from "ai";
import { ChatInput, cut, type ChatMessage } from "./protocol.ts";

/** What people have said to the agent, until the model is called again. */
export class Incoming {
  readonly #waiting: ChatInput[] = [];

  /** A line of stdin. One that is no message is dropped: commands of the agent's may write there, too. */
  push(line: string): void {
    const read = ChatInput.safeParse(parse(line));
    if (read.success) this.#waiting.push(read.data);
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** What is to become part of the conversation now; from here on it has reached the agent, and that is said. */
  take(send: (message: ChatMessage) => void): ModelMessage[] {
    return this.#waiting.splice(0).map((message) => {
      send({ ...message, text: cut(message.text) });
      return { role: "user", content: `${message.by}, who follows your work, says:\n${message.text}` };
    });
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
