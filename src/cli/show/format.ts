import { stripVTControlCharacters } from "node:util";

/** How figures and times are written, everywhere the same. */

/** What is drawn moves no cursor by itself. */
export const visible = (text: string): string => stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, " ");

export function duration(ms: number): string {
  // Between two looks at it the clock was set back.
  if (ms < 0) return "an unknown time";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.floor((ms % 60_000) / 1000);
  if (minutes < 60) return `${minutes} min ${seconds} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `12:03:01`, local time. */
export const clockTime = (at: number): string => new Date(at).toTimeString().slice(0, 8);

/** `2026-11-21 12:03`, local time. */
export function dateTime(at: number): string {
  const d = new Date(at);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
}

export const integer = (n: number): string => n.toLocaleString("en-US");

export const plural = (n: number, noun: string): string => `${integer(n)} ${noun}${n === 1 ? "" : "s"}`;

/** The first line, cut to `most` characters. */
export function firstLine(text: string, most = 160): string {
  return cut(text.trim().split("\n")[0] ?? "", most);
}

export const cut = (line: string, most: number): string => (line.length > most ? `${line.slice(0, most - 1)}…` : line);

/** A word for a POSIX shell. */
export const shellWord = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

export const indent = (text: string, by: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `${by}${line}`)
    .join("\n");
