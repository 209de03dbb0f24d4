import type { Protocol } from "../contract.ts";
import { isObject, objects, type Json } from "../wire/wire.ts";

/**
 * A request on its own way in its own format, without the thinking that another model of the chain did meanwhile: it bears no seal of this
 * provider's, which would refuse it. The very request when there is none.
 */
export function withoutForeignThinking(protocol: Protocol, body: Json): Json {
  switch (protocol) {
    case "messages": {
      let isChanged = false;
      const messages = objects(body.messages).map((message) => {
        if (!Array.isArray(message.content)) return message;
        const content: unknown[] = message.content.filter((block: unknown) => !isForeign(block));
        if (content.length === message.content.length) return message;
        isChanged = true;
        return { ...message, content };
      });
      // A message of nothing is refused, too.
      return isChanged ? { ...body, messages: messages.filter(({ content }) => !Array.isArray(content) || content.length > 0) } : body;
    }
    case "responses": {
      if (!Array.isArray(body.input) || body.store !== false) return body;
      const input: unknown[] = body.input.filter(
        (item: unknown) => !isObject(item) || item.type !== "reasoning" || Boolean(item.encrypted_content),
      );
      return input.length === body.input.length ? body : { ...body, input };
    }
    case "chat":
    case "gemini":
      return body;
    default:
      return protocol satisfies never;
  }
}

const isForeign = (block: unknown): boolean => isObject(block) && block.type === "thinking" && (block.signature ?? "") === "";
