import { createContext, use, useCallback, useSyncExternalStore } from "react";
import type { StepView } from "./model/step-view.ts";

/**
 * How steps stand, for nodes of the graph that ask each for itself: an event about one step draws one node again, and the graph around it does not
 * hear of it.
 */
export class ViewStore {
  #views: ReadonlyMap<string, StepView> = new Map();
  readonly #listeners = new Map<string, Set<() => void>>();

  get(path: string): StepView | undefined {
    return this.#views.get(path);
  }

  set(views: ReadonlyMap<string, StepView>): void {
    const before = this.#views;
    if (before === views) return;
    this.#views = views;
    for (const [path, listeners] of this.#listeners) if (before.get(path) !== views.get(path)) for (const tell of listeners) tell();
  }

  subscribe(path: string, tell: () => void): () => void {
    const listeners = this.#listeners.get(path) ?? new Set();
    this.#listeners.set(path, listeners);
    listeners.add(tell);
    return () => {
      listeners.delete(tell);
      if (listeners.size === 0) this.#listeners.delete(path);
    };
  }
}

export const ViewContext = createContext<ViewStore>(new ViewStore());

export function useStepView(path: string): StepView | undefined {
  const store = use(ViewContext);
  return useSyncExternalStore(
    useCallback((tell) => store.subscribe(path, tell), [store, path]),
    () => store.get(path),
  );
}
