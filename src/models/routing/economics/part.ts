import type { CascadePart, CascadePlan } from "./contract.ts";

/**
 * Which part of a mixed plan a piece of work gets: always the same one for the same key, and over many keys each part its share. `undefined`:
 * the plan has no parts, since no candidate was known.
 */
export function partOf(plan: Pick<CascadePlan, "parts">, key: string): CascadePart | undefined {
  let left = unit(key);
  for (const part of plan.parts) {
    if (left < part.share) return part;
    left -= part.share;
  }
  return plan.parts.at(-1);
}

/** A number from 0 to 1 for a text: FNV-1a, with its bits mixed once more since its high ones change little with the last letter. */
function unit(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296;
}
