/** Longest event taken; one beyond it is no stream of chat chunks. */
const longest = 16 << 20;

/**
 * Cuts a byte stream into server-sent events, each with the blank line that ends it. Bytes are kept until their event is whole, so a
 * character cut by the network stays one. What is left at the end without its blank line is yielded as it is.
 */
export async function* eventsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of bytes) {
    rest += decoder.decode(part, { stream: true });
    const events: string[] = [];
    for (let end = boundary(rest); end > 0; end = boundary(rest)) {
      events.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    if (rest.length > longest) throw new RangeError("an event of the stream is too long");
    if (events.length > 0) yield events;
  }
  if (rest !== "") yield [rest];
}

function boundary(text: string): number {
  const lf = text.indexOf("\n\n");
  const crlf = text.indexOf("\r\n\r\n");
  if (lf < 0 && crlf < 0) return 0;
  return crlf < 0 || (lf >= 0 && lf < crlf) ? lf + 2 : crlf + 4;
}

/** The data of an event, `undefined` for comments and keep-alives. */
export function dataOf(event: string): string | undefined {
  let data: string | undefined;
  for (const line of event.split(/\r?\n/)) {
    if (!line.startsWith("data:")) continue;
    const text = line.slice(line[5] === " " ? 6 : 5);
    data = data === undefined ? text : `${data}\n${text}`;
  }
  return data;
}

/** The same event with other data. */
export function withData(event: string, data: string): string {
  const kept = event.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("data:"));
  return [...kept, `data: ${data}`, "", ""].join("\n");
}
