import { apiError } from "./answers.ts";
import type { Passage } from "./one-try.ts";
import { dataOf, withData } from "./sse.ts";
import { textOfEvents } from "./translate/index.ts";
import type { Json, PreparedCall } from "./wire/wire.ts";

/** Words a stream for its agent, event by event; nothing is kept back. */
export interface Outlet {
  chunk(event: string, chunk: Json): string;
  /** An event that is no chunk: a comment, an end mark, something torn. */
  other(event: string, isTorn: boolean): string;
  /** After the last event. */
  end(): string;
  fail(sentence: string): string;
}

export function outletFor({ wire, upstream, translated }: Passage, prepared: PreparedCall): Outlet {
  if (!translated) {
    return {
      chunk(event, chunk) {
        const passed = wire.forAgent(chunk, prepared);
        if (!passed) return "";
        return passed === chunk ? event : withData(event, JSON.stringify(passed));
      },
      other: (event) => event,
      end: () => "",
      fail: (sentence) => wire.streamError(apiError("upstream_error", sentence, "stream_interrupted")),
    };
  }
  const stream = translated.stream();
  return {
    chunk: (_, chunk) => textOfEvents(stream.push(chunk)),
    other(event, isTorn) {
      if (isTorn) return textOfEvents(stream.fail(`The model endpoint ${upstream} sent a chunk that is not JSON.`));
      const data = dataOf(event);
      if (data === "[DONE]") return textOfEvents(stream.end());
      // Comments keep a connection alive in every format.
      return data === undefined ? event : "";
    },
    end: () => textOfEvents(stream.end()),
    fail: (sentence) => textOfEvents(stream.fail(sentence)),
  };
}
