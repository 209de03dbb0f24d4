import picomatch from "picomatch";
import { z } from "zod";
import { expecting, refuse } from "./shape-problems.ts";
import { shown } from "./shown.ts";

/** Ids of steps, agents, providers and accounts. */
export const ID_PATTERN = /^[a-z0-9][a-z0-9_-]{0,63}$/;
export const Id = z.string().regex(ID_PATTERN, "Use lower-case letters, digits, `-` and `_`, at most 64");

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Longest duration anywhere: timers of the platform end at 24.8 days. */
const LONGEST_MS = 14 * 86_400_000;
const DURATION_FORMS = "500ms, 30s, 10m, 2h, 1h30m or a number of seconds";

/** Milliseconds of `500ms`, `30s`, `1h30m` or a number of seconds; `undefined` when it is no duration. */
export function parseDuration(value: string | number): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? Math.round(value * 1000) : undefined;
  const text = value.trim();
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  return Math.round(parts.reduce((sum, [, n, unit]) => sum + Number(n) * (UNIT_MS[unit ?? ""] ?? Number.NaN), 0));
}

/** A duration field in milliseconds, of at least `leastMs`. */
export const duration = (leastMs: number) =>
  z.union([z.string(), z.number()], expecting(`a duration such as ${DURATION_FORMS}`)).transform((value, ctx) => {
    const ms = parseDuration(value);
    const text = shown(String(value), 40);
    if (ms === undefined) return refuse(ctx, "BAD_DURATION", `"${text}" is not a duration`, `Write ${DURATION_FORMS}`);
    if (ms < leastMs) return refuse(ctx, "BAD_DURATION", `${text} is too short`, `Write at least ${leastMs}ms`);
    if (ms > LONGEST_MS) return refuse(ctx, "BAD_DURATION", `${text} is too long`, "Write at most 14d (336h)");
    return ms;
  });

const MOST_DOLLARS = 1_000_000_000;

/** An amount in USD as integer micro-dollars: `0.5` or `"$0.50"`. */
export const Dollars = z.union([z.string(), z.number()], expecting("an amount in USD such as 0.50")).transform((value, ctx) => {
  const dollars =
    typeof value === "number"
      ? value
      : /^\$?\d{1,12}(?:\.\d{1,12})?$/.test(value.trim())
        ? Number(value.trim().replace("$", ""))
        : undefined;
  const text = shown(String(value), 40);
  if (dollars === undefined || !Number.isFinite(dollars)) {
    return refuse(ctx, "BAD_MONEY", `"${text}" is not an amount`, 'Write USD as a number: 0.50 or "$0.50"');
  }
  if (dollars < 0) return refuse(ctx, "BAD_MONEY", `${text} is negative`, "Write 0 or more");
  if (dollars > MOST_DOLLARS) return refuse(ctx, "BAD_MONEY", `${text} is too much`, `Write at most ${MOST_DOLLARS}`);
  const micro = Math.round(dollars * 1_000_000);
  if (micro === 0 && dollars > 0)
    return refuse(ctx, "BAD_MONEY", `${text} is less than a millionth of a dollar`, "Write 0.000001 or more, or 0");
  return micro;
});

/** Why `text` is no path or glob inside the project, or `undefined` when it is one. */
export function pathFault(text: string, kind: "path" | "glob"): { message: string; hint: string } | undefined {
  const t = `"${shown(text, 60)}"`;
  const inside = "Write a path inside the project, such as src/a.ts";
  if (text.trim() === "") return { message: "a path is empty", hint: inside };
  if (text !== text.trim()) return { message: `${t} begins or ends with a space`, hint: "Remove the space" };
  if (text.length > 1024) return { message: `${t} is longer than 1024 characters`, hint: "Shorten it" };
  if (text.includes("\n") || text.includes("\r")) return { message: `${t} goes over several lines`, hint: "Write one path for each item" };
  if (text.startsWith("/") || /^[A-Za-z]:/.test(text)) return { message: `${t} is an absolute path`, hint: inside };
  if (text.startsWith("~")) return { message: `${t} names a home folder`, hint: inside };
  if (text.includes("\\")) return { message: `${t} holds a backslash`, hint: "Use `/` between folders" };
  if (/(?:^|[/{,(|])\.\.(?:$|[/},)|])/.test(text)) return { message: `${t} leaves the project with \`..\``, hint: inside };
  if (/^(?:\.\/)?\.git(?:\/|$)/.test(text)) return { message: `${t} lies in git's own folder`, hint: inside };
  if (kind === "path") {
    const isFile = !text.endsWith("/") && !/[*?[\]{}]/.test(text);
    return isFile ? undefined : { message: `${t} is not the path of one file`, hint: "Name one file, without `*`" };
  }
  if (text.startsWith("!")) return { message: `${t} is a negated glob, which is not supported yet`, hint: "List what should match" };
  try {
    picomatch.makeRe(text, { strictBrackets: true });
    return undefined;
  } catch {
    return { message: `${t} is not a valid glob`, hint: "Close every bracket" };
  }
}

const checked = (kind: "path" | "glob") =>
  z.string().superRefine((text, ctx) => {
    const fault = pathFault(text, kind);
    if (fault) refuse(ctx, "BAD_PATH", fault.message, fault.hint);
  });

/** A glob of paths inside the project. */
export const Glob = checked("glob");
/** The path of one file inside the project. */
export const FilePath = checked("path");

/** Text for a shell. */
export const CommandText = z.string().superRefine((text, ctx) => {
  if (text.trim() === "") refuse(ctx, "BAD_VALUE", "the command is empty", "Write a shell command");
});

/** The name of a tier, or `weak`, `base`, `strong`. Which tiers there are, the project says: see tiers.ts. */
export const TierName = z.string().regex(ID_PATTERN, "Write the name of a tier, such as free, mid or premium");
