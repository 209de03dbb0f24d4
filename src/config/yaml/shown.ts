import { looksLikeSecretValue } from "../secret-names.ts";

const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** Text of a user's file made harmless for a terminal: control and invisible characters escaped, cut to `most`. */
export function shown(text: string, most = 200): string {
  const head = text.length > most ? `${text.slice(0, most)}...` : text;
  return head.replace(HIDDEN, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}

/** The same in backquotes, for keys and names. */
export const named = (text: string): string => `\`${shown(text, 60)}\``;

/** A value in a word or two, e.g. `the text "soon"`, `a list`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string" && looksLikeSecretValue(value)) return "a text that looks like a secret";
  if (typeof value === "string") return value === "" ? "an empty text" : `the text "${shown(value.split("\n")[0] ?? "", 40)}"`;
  if (typeof value === "number" || typeof value === "bigint") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "a list" : "a map";
}
