const DAY_MS = 86_400_000;

/** Beyond this many days a chart shows nothing more: the last ones are kept. */
const MOST_DAYS = 366;

/**
 * Days from the first to the last, those without money too. `day`: `2026-11-21`; `at`: its beginning as if it were UTC, epoch ms. `from` and `to`:
 * days that are shown whether or not something was spent in them.
 */
export function fillDays(
  days: readonly { day: string; microUsd: number }[],
  { from, to }: { from?: string; to?: string } = {},
): { at: number; microUsd: number }[] {
  const known = new Map(days.flatMap(({ day, microUsd }) => (Number.isNaN(Date.parse(day)) ? [] : [[Date.parse(day), microUsd] as const])));
  if (known.size === 0) return [];
  const ends = [...known.keys(), ...[from, to].flatMap((day) => (day === undefined ? [] : [Date.parse(day)]))];
  const last = Math.max(...ends);
  const first = Math.max(Math.min(...ends), last - (MOST_DAYS - 1) * DAY_MS);
  return Array.from({ length: Math.round((last - first) / DAY_MS) + 1 }, (_, i) => {
    const at = first + i * DAY_MS;
    return { at, microUsd: known.get(at) ?? 0 };
  });
}

/** The day of a time in a zone, as the ledger names it. */
export const dayIn = (timeZone: string, at: number): string =>
  new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at);

/** Midnight, where the reader is, of the first of so many days that end with today; 0 days: since ever. */
export function sinceDays(days: number, now: number): number | undefined {
  if (days === 0) return undefined;
  const today = new Date(now);
  // By the calendar: a day on which clocks are changed has 23 or 25 hours.
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() - (days - 1)).getTime();
}
