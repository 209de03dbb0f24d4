import { median, percentile } from "./report.ts";

/** How long one call took: to the first word of its answer, and to its end. */
export interface CallTime {
  firstMs: number;
  endMs: number;
}

/** Ways to make the same call; the first is the one that others are held against. */
export interface Way {
  name: string;
  call(): Promise<CallTime>;
}

/**
 * Makes each call by every way in turn, so that what else the machine does falls on all of them alike. The order within a round moves on from
 * round to round: none is always the first after another.
 */
export async function takeTurns(ways: readonly Way[], rounds: number, warmUps: number): Promise<Map<string, CallTime[]>> {
  const times = new Map(ways.map(({ name }) => [name, [] as CallTime[]]));
  for (let round = 0; round < rounds + warmUps; round += 1)
    for (const i of ways.keys()) {
      const way = ways[(i + round) % ways.length];
      if (!way) continue;
      const time = await way.call();
      if (round >= warmUps) times.get(way.name)?.push(time);
    }
  return times;
}

/** What a way adds to the direct one: differences of percentiles, in milliseconds. */
export function added(direct: readonly CallTime[], through: readonly CallTime[]): { p50: number; p95: number; first: number } {
  const ends = (times: readonly CallTime[]): number[] => times.map(({ endMs }) => endMs);
  const firsts = (times: readonly CallTime[]): number[] => times.map(({ firstMs }) => firstMs);
  return {
    p50: median(ends(through)) - median(ends(direct)),
    p95: percentile(ends(through), 95) - percentile(ends(direct), 95),
    first: median(firsts(through)) - median(firsts(direct)),
  };
}
