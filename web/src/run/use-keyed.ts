import { useRef } from "react";

/**
 * As useMemo, for what is made of things that are changed in place: a run's state, which its history owns, and a log's lines. `keys` tell when
 * it is to be made anew: a version, a count.
 */
export function useKeyed<T>(make: () => T, ...keys: readonly unknown[]): T {
  const kept = useRef<{ keys: readonly unknown[]; value: T } | undefined>(undefined);
  if (!kept.current || keys.some((key, i) => !Object.is(key, kept.current?.keys[i]))) kept.current = { keys, value: make() };
  return kept.current.value;
}
