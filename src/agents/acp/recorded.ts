type Message = Record<string, unknown>;

/**
 * What an earlier engine sent to an agent that was taken up. A request goes out once more as it went out then, though its text may be
 * another now (a prompt with the time in it), and an answer that was given is given again: the host knows both and keeps them back.
 */
export class Recorded {
  readonly #requests = new Map<string, string>();
  readonly #answers = new Map<string, string>();

  constructor(inputs: readonly string[]) {
    for (const text of inputs) {
      const message = parse(text);
      if (message?.["id"] === undefined) continue;
      if (typeof message["method"] === "string") this.#requests.set(keyOf(message), text);
      else this.#answers.set(keyOf(message), text);
    }
  }

  /** The text in which the same request was sent. */
  request(message: Message): string | undefined {
    return "method" in message && "id" in message ? taken(this.#requests, keyOf(message)) : undefined;
  }

  /** The text with which the agent's request was answered. */
  answerTo(message: Message): string | undefined {
    return taken(this.#answers, keyOf({ id: message["id"] }));
  }
}

const keyOf = ({ id, method }: Message): string => JSON.stringify([id, method ?? null]);

function taken(texts: Map<string, string>, key: string): string | undefined {
  const text = texts.get(key);
  texts.delete(key);
  return text;
}

function parse(text: string): Message | undefined {
  try {
    return JSON.parse(text) as Message;
  } catch {
    return undefined;
  }
}
