/** Most characters of one message: an agent that never ends one is not held in memory for ever. */
const LONGEST = 32 * 1024 * 1024;
/** The host hands a line on in pieces; none but the last is shorter than this. */
const SHORTEST_PIECE = 24 * 1024;

export type Read = { kind: "message"; message: Record<string, unknown> } | { kind: "malformed"; text: string } | { kind: "incomplete" };

/**
 * Puts JSON-RPC messages together from an agent's output: a message over 64 KiB (a diff of a whole file) comes in pieces.
 * What is no message is told and skipped.
 */
export class MessageReader {
  #held = "";

  push(text: string): Read[] {
    if (this.#held === "" && text.trim() === "") return [];
    const whole = parse(this.#held + text);
    if (whole) {
      this.#held = "";
      return [{ kind: "message", message: whole }];
    }
    const mayGoOn = text.length >= SHORTEST_PIECE && this.#held.length + text.length < LONGEST;
    if (mayGoOn && (this.#held !== "" || text.startsWith("{"))) {
      this.#held += text;
      return [{ kind: "incomplete" }];
    }
    const held = this.#held;
    this.#held = "";
    if (held === "") return [{ kind: "malformed", text }];
    // What was held was cut off, and this may be a message of its own.
    const alone = parse(text);
    return alone
      ? [
          { kind: "malformed", text: held },
          { kind: "message", message: alone },
        ]
      : [{ kind: "malformed", text: held + text }];
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") || !trimmed.endsWith("}")) return undefined;
  try {
    const value: unknown = JSON.parse(trimmed);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
