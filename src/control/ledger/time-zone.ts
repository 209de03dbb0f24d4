/** Where people are: their days are the ledger's days. */
export interface Zone {
  /** `Europe/Berlin`. */
  name: string;
  /** `2026-11-21`. */
  dayOf: (at: number) => string;
}

/** `name` is the system's unless given. */
export function zoneOf(name = new Intl.DateTimeFormat().resolvedOptions().timeZone): Zone {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: name, year: "numeric", month: "2-digit", day: "2-digit" });
  return { name, dayOf: (at) => parts.format(at) };
}
