import type { QuotaWait } from "../../control/index.ts";
import { clockTime, dateTime, duration } from "./format.ts";

const DAY_MS = 86_400_000;

/** `waits for openai's quota until 14:05 (in 23 min 4 s)`. */
export function quotaText({ provider, until }: QuotaWait, now: number): string {
  const leftMs = until - now;
  const time = leftMs > DAY_MS ? dateTime(until) : clockTime(until).slice(0, leftMs > 60_000 ? 5 : 8);
  return `waits for ${provider}'s quota until ${time}${leftMs > 0 ? ` (in ${duration(leftMs)})` : ""}`;
}
