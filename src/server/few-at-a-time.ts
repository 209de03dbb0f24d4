/**
 * Has only so many things begin at a time; the others wait their turn, first come, first served. A run begins as a process that checks its agents: sixty at
 * once, started by somebody who chose all that failed, would leave the machine to nobody else, and none would begin in time.
 */
export function fewAtATime(most: number): <T>(begin: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (begin) => {
    // Whoever ends hands their place on, so that nobody who comes in between takes it.
    if (busy >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    try {
      return await begin();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy -= 1;
    }
  };
}
