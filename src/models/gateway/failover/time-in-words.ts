/** Reads when a limit is over from what providers and agents say to people. Pure; times are epoch milliseconds. */

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `41.724s`, `6m0s`, `1h 2m`, `20 seconds`, `3 days`, `250ms`; milliseconds. */
export function spanInWords(text: string): number | undefined {
  const part = String.raw`(\d+(?:\.\d+)?)\s*(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)\b`;
  const glued = text.replaceAll(/(\d[a-z]+)(?=\d)/gi, "$1 ");
  const [whole] = new RegExp(String.raw`^\s*${part}(?:[\s,]*(?:and\s+)?${part})*`, "i").exec(glued) ?? [];
  if (whole === undefined) return undefined;
  let sum = 0;
  for (const [, amount, unit = ""] of whole.matchAll(new RegExp(part, "gi")))
    sum += Number(amount) * (unitMs[shortOf(unit.toLowerCase())] ?? 0);
  return sum;
}

const shortOf = (unit: string): string => (unit === "ms" || unit.startsWith("milli") ? "ms" : (unit[0] ?? ""));

/** `... try again in 20s`, `retry after 3 minutes`, `...|1749924000`, `resets at 2026-07-10T11:52:00Z`, `resets 11:20am (Europe/Budapest)`. */
export function momentInWords(message: string, now: number): number | undefined {
  const spans = message.matchAll(
    /\b(?:(?:try|retry)(?: again)?|resets?|available(?: again)?|wait) (?:in|after|for) (?:about )?(\d[^.!?;()\n]*(?:\.\d+[^.!?;()\n]*)?)/gi,
  );
  for (const [, words = ""] of spans) {
    const ms = spanInWords(words);
    if (ms !== undefined) return now + ms;
  }
  const [, stamp] = /\|(\d{10})(?:\d{3})?\b/.exec(message) ?? [];
  if (stamp !== undefined) return Number(stamp) * 1_000;
  const resets = /\b(?:resets?|try again|retry)(?: (?:at|on|again at))? (.{3,60})/gi;
  for (const [, words = ""] of message.matchAll(resets)) {
    const at = dateIn(words) ?? clockTimeIn(words, now);
    if (at !== undefined) return at;
  }
  return undefined;
}

/** `2026-07-10T11:52:00Z`, `Jul 10, 2026, 11:52 AM`. A date without a zone is this machine's. */
function dateIn(words: string): number | undefined {
  const iso = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?/.exec(words)?.[0];
  const long = /^[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?,? \d{4},?(?: at)? \d{1,2}:\d\d(?: ?[AP]M)?/i.exec(words)?.[0];
  const text = iso ?? long?.replace(/(\d)(?:st|nd|rd|th)/, "$1").replace(/,? at /, ", ");
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

/** `3pm`, `11:20am (Europe/Budapest)`, `14:05`: the next time that a clock shows this there, or here. */
function clockTimeIn(words: string, now: number): number | undefined {
  const [, hour, minute = "0", half] = /^(\d{1,2})(?::(\d\d))?\s*([ap]m)?\b/i.exec(words) ?? [];
  if (hour === undefined || (half === undefined && !/^\d{1,2}:\d\d/.test(words))) return undefined;
  const h = half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
  if (h > 23 || Number(minute) > 59) return undefined;
  const [, zone] = /\(([A-Za-z]+(?:\/[\w+-]+)*)\)/.exec(words) ?? [];
  const shown = minutesOfDay(now, zone);
  if (shown === undefined) return undefined;
  const minutes = (h * 60 + Number(minute) - shown + 1_440) % 1_440;
  const start = now - (now % 60_000);
  return start + minutes * 60_000;
}

/** What the clocks of a zone show, in minutes since midnight. */
function minutesOfDay(now: number, zone: string | undefined): number | undefined {
  try {
    const parts = new Intl.DateTimeFormat("en-GB", {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      ...(zone === undefined ? {} : { timeZone: zone }),
    }).formatToParts(now);
    const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? Number.NaN);
    return of("hour") * 60 + of("minute");
  } catch {
    // No zone of that name.
    return undefined;
  }
}
