import type { Json } from "../wire/wire.ts";

/** A request in no format: what the four can say of one. */
export interface Question {
  /** In order; neighbours have different roles. */
  turns: readonly Turn[];
  tools: readonly Tool[];
  choice?: Choice | undefined;
  /** `false`: one tool call at a time. */
  parallel?: boolean | undefined;
  stop: readonly string[];
  temperature?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  seed?: number | undefined;
  presencePenalty?: number | undefined;
  frequencyPenalty?: number | undefined;
  /** Tokens. */
  maxOutput?: number | undefined;
  /** What the text of the answer must look like. */
  shape?: Shape | undefined;
  /** How much to think, in OpenAI's words. */
  effort?: string | undefined;
  /** As the agent calls it. */
  model: string;
  stream: boolean;
  /** The agent is told the usage at the end of a stream. */
  tellsUsage: boolean;
}

export interface Turn {
  role: "system" | "user" | "assistant";
  parts: readonly Part[];
}

/** Results stand in turns of the user. */
export type Part = Content | ToolCall | ToolResult;
export type Content = Text | Image | File;

export interface Text {
  kind: "text";
  text: string;
}
export type Media = { kind: "base64"; mediaType: string; data: string } | { kind: "url"; url: string };
export interface Image {
  kind: "image";
  media: Media;
}
export interface File {
  kind: "file";
  media: Media;
  name?: string | undefined;
}
export interface ToolCall {
  kind: "call";
  id: string;
  name: string;
  /** JSON text of an object; as the model wrote it, so it may be torn. */
  args: string;
}
export interface ToolResult {
  kind: "result";
  id: string;
  /** Of the tool; empty where the format does not repeat it. */
  name: string;
  content: readonly Content[];
  isError: boolean;
}

export interface Tool {
  name: string;
  description?: string | undefined;
  /** JSON schema of its arguments. */
  schema: Json;
  strict?: boolean | undefined;
  /** Takes a text, not an object: asked for as `{ input }`, and given back as the text. */
  isCustom?: boolean | undefined;
  /** Of a group of tools: the group, and its name in it. */
  group?: { namespace: string; name: string } | undefined;
}

export type Choice = { kind: "auto" | "none" | "required" } | { kind: "one"; name: string };

export type Shape = { kind: "json" } | { kind: "schema"; name: string; schema: Json; strict?: boolean | undefined };

/** Thrown where a request cannot be said in another format; caught by `translation`. */
export class CannotSay extends Error {
  readonly param: string | null;
  constructor(message: string, param: string | null = null) {
    super(message);
    this.name = "CannotSay";
    this.param = param;
  }
}

/** Names of what gets lost, each once. */
export class Lost {
  readonly #names = new Set<string>();

  add(name: string): void {
    this.#names.add(name);
  }

  /** Fields that were given and that nobody reads. */
  addOthers(of: Json, read: ReadonlySet<string>, prefix = ""): void {
    for (const [name, value] of Object.entries(of)) if (!read.has(name) && value !== undefined && value !== null) this.add(prefix + name);
  }

  get names(): string[] {
    return [...this.#names];
  }
}

/** Without tools a choice among them is refused by providers, and says nothing. */
export const withTools = (question: Question): Question =>
  question.tools.length > 0 ? question : { ...question, choice: undefined, parallel: undefined };

/** Puts a conversation together: neighbours of one role become one turn, and empty texts nothing. */
export class Turns {
  readonly list: { role: Turn["role"]; parts: Part[] }[] = [];

  add(role: Turn["role"], ...parts: readonly Part[]): void {
    const said = parts.filter((part) => part.kind !== "text" || part.text !== "");
    if (said.length === 0) return;
    const last = this.list.at(-1);
    if (last?.role === role) last.parts.push(...said);
    else this.list.push({ role, parts: [...said] });
  }
}

/** System texts that lead go before the conversation; later ones are said as the user's, where they stand. */
export function withoutSystem(turns: readonly Turn[], lost: Lost): { system: string; turns: readonly Turn[] } {
  const first = turns.findIndex((turn) => turn.role !== "system");
  const leading = first < 0 ? turns : turns.slice(0, first);
  const rest = new Turns();
  for (const turn of first < 0 ? [] : turns.slice(first)) {
    if (turn.role === "system") lost.add("the rank of a system message within the conversation");
    rest.add(turn.role === "system" ? "user" : turn.role, ...turn.parts);
  }
  return { system: leading.map((turn) => textOf(turn.parts)).join("\n\n"), turns: rest.list };
}

export const textOf = (parts: readonly Part[]): string => parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n\n");

export const isContent = (part: Part): part is Content => part.kind === "text" || part.kind === "image" || part.kind === "file";

/** Arguments as an object; text that is none comes as `input`. */
export function argumentsOf(args: string): Json {
  if (args.trim() === "") return {};
  try {
    const json: unknown = JSON.parse(args);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Json;
  } catch {
    // As a model wrote it.
  }
  return { input: args };
}

/** The same object without what is undefined. */
export const given = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

export const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

export const strings = (value: unknown): string[] =>
  typeof value === "string" ? [value] : Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
