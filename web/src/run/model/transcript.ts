import { plain, type LogLine } from "./log-buffer.ts";

/** What an agent said and did, made of what its process printed. */
export interface Entry {
  kind: "says" | "thinks" | "does" | "sees" | "ended" | "failed" | "printed";
  text: string;
  at: number;
  attempt: string;
}

type Said = { kind: Entry["kind"]; text: string };

/**
 * Reads the lines of agents. Those that print JSON are understood as far as their protocol is known: ours, ACP and the line protocols of command line
 * agents. Whatever else they print is shown as it is. Pieces of one sentence that came apart are put together. Asked again for more lines of the same
 * list, it reads only those that came since.
 */
export class TranscriptReader {
  #lines: readonly LogLine[] = [];
  #read = 0;
  #entries: Entry[] = [];

  follow(lines: readonly LogLine[]): readonly Entry[] {
    if (lines !== this.#lines || lines.length < this.#read) {
      this.#lines = lines;
      this.#read = 0;
      this.#entries = [];
    }
    for (; this.#read < lines.length; this.#read++) {
      const line = lines[this.#read];
      if (line?.role === "agent") this.#take(line);
    }
    return this.#entries;
  }

  #take({ text, at, attempt }: LogLine): void {
    for (const said of readLine(text)) {
      const last = this.#entries.at(-1);
      const isGoingOn = last?.attempt === attempt && last.kind === said.kind && (said.kind === "printed" || "isPiece" in said);
      if (isGoingOn && last) last.text += said.kind === "printed" ? `\n${said.text}` : said.text;
      else if (said.text.trim() !== "") this.#entries.push({ kind: said.kind, text: said.text, at, attempt });
    }
  }
}

const signs: Readonly<Record<Entry["kind"], string>> = {
  says: "",
  thinks: "(thinks) ",
  does: "> ",
  sees: "  ",
  ended: "[ended] ",
  failed: "[failed] ",
  printed: "",
};

const readable = new WeakMap<LogLine, string>();

/** A line of a log as it is shown, which is what is searched. */
export function shownLine(line: LogLine): string {
  if (line.role !== "agent") return plain(line.text);
  const known = readable.get(line);
  if (known !== undefined) return known;
  const shown = readableLine(line.text);
  if (shown !== line.text) readable.set(line, shown);
  return shown;
}

/** One line of a log for people; what is nothing but bookkeeping comes as it is. */
export function readableLine(text: string): string {
  if (!text.startsWith("{")) return plain(text);
  const said = readLine(text).map(({ kind, text: of }) => (kind === "sees" ? of.replace(/^/gm, "  ") : signs[kind] + of));
  const shown = said.join("\n").trimEnd();
  return shown === "" ? text : shown;
}

function readLine(text: string): (Said & { isPiece?: true })[] {
  if (!text.startsWith("{")) return [{ kind: "printed", text: plain(text) }];
  let line: Shape;
  try {
    line = JSON.parse(text) as Shape;
  } catch {
    return [{ kind: "printed", text }];
  }
  if (line["jsonrpc"] === "2.0") return ofAcp(line);
  const type = str(line["type"]);
  if (type === "assistant" || type === "user" || type === "system" || type === "result") return ofClaude(line);
  return ofOwn(line) ?? ofCodex(line) ?? [{ kind: "printed", text }];
}

type Shape = Readonly<Record<string, unknown>>;
const str = (value: unknown): string => (typeof value === "string" ? value : "");
const obj = (value: unknown): Shape => (typeof value === "object" && value !== null ? (value as Shape) : {});
const list = (value: unknown): Shape[] => (Array.isArray(value) ? value.map(obj) : []);

function ofOwn(line: Shape): Said[] | undefined {
  switch (line["type"]) {
    case "text":
      return [{ kind: "says", text: str(line["text"]) }];
    case "tool":
      return [{ kind: "does", text: str(line["label"]) || str(line["name"]) }];
    case "tool-result":
      return [{ kind: "sees", text: str(line["output"]) }];
    case "usage":
      return [];
    case "done":
      return [{ kind: "ended", text: "the agent says that it is done" }];
    case "failed":
      return [{ kind: "failed", text: `${str(line["because"])}: ${str(line["message"])}` }];
    default:
      return undefined;
  }
}

function ofAcp(line: Shape): (Said & { isPiece?: true })[] {
  if (line["method"] !== "session/update") return [];
  const update = obj(obj(line["params"])["update"]);
  const text = str(obj(update["content"])["text"]);
  switch (update["sessionUpdate"]) {
    case "agent_message_chunk":
      return [{ kind: "says", text, isPiece: true }];
    case "agent_thought_chunk":
      return [{ kind: "thinks", text, isPiece: true }];
    case "tool_call":
      return [{ kind: "does", text: str(update["title"]) }];
    case "tool_call_update":
      return list(update["content"]).flatMap((c): Said[] => {
        const seen = str(obj(c["content"])["text"]);
        return seen === "" ? [] : [{ kind: "sees", text: seen }];
      });
    case "plan":
      return [
        {
          kind: "thinks",
          text: list(update["entries"])
            .map((e) => `- ${str(e["content"])}`)
            .join("\n"),
        },
      ];
    default:
      return [];
  }
}

function ofClaude(line: Shape): Said[] {
  if (line["type"] === "result")
    return [{ kind: line["is_error"] === true ? "failed" : "ended", text: str(line["result"]) || str(line["subtype"]) }];
  return list(obj(line["message"])["content"]).flatMap((block): Said[] => {
    switch (block["type"]) {
      case "text":
        return [{ kind: "says", text: str(block["text"]) }];
      case "thinking":
        return [{ kind: "thinks", text: str(block["thinking"]) }];
      case "tool_use":
        return [{ kind: "does", text: `${str(block["name"])} ${JSON.stringify(block["input"] ?? {})}` }];
      case "tool_result":
        return [
          {
            kind: "sees",
            text:
              str(block["content"]) ||
              list(block["content"])
                .map((c) => str(c["text"]))
                .join("\n"),
          },
        ];
      default:
        return [];
    }
  });
}

function ofCodex(line: Shape): Said[] | undefined {
  const item = obj(line["item"]);
  switch (line["type"]) {
    case "item.completed":
      if (item["type"] === "agent_message") return [{ kind: "says", text: str(item["text"]) }];
      if (item["type"] === "reasoning") return [{ kind: "thinks", text: str(item["text"]) }];
      if (item["type"] === "command_execution")
        return [
          { kind: "does", text: str(item["command"]) },
          { kind: "sees", text: str(item["aggregated_output"]) },
        ];
      return [{ kind: "does", text: str(item["type"]) }];
    case "turn.failed":
      return [{ kind: "failed", text: str(obj(line["error"])["message"]) }];
    case "thread.started":
    case "turn.started":
    case "turn.completed":
    case "item.started":
    case "item.updated":
      return [];
    default:
      return undefined;
  }
}
