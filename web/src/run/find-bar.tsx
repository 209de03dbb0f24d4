import { useDeferredValue, useMemo, useState } from "react";
import { Button, inputClass } from "../ui/index.ts";
import { Finder, MOST_FOUND } from "./model/find.ts";
import { useKeyed } from "./use-keyed.ts";

export interface Search {
  /** What is typed, and what of it is looked for by now. */
  wanted: string;
  text: string;
  found: readonly number[];
  /** Which of them is shown: a place in `found`. */
  at: number;
  /** The index of what is shown among all that is searched. */
  here: number | undefined;
  type(text: string): void;
  /** To the next or the previous one, around the ends. */
  go(by: number): void;
}

/** Searches lists for a text. `count` changes when something was added to `items`. */
export function useSearch<T>(items: readonly T[], count: number, textOf: (item: T) => string): Search {
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const text = useDeferredValue(wanted);
  const finder = useMemo(() => new Finder(textOf), [textOf]);
  const found = useKeyed(() => [...finder.find(items, text)], finder, items, count, text);
  const shown = Math.max(0, Math.min(at, found.length - 1));
  return {
    wanted,
    text,
    found,
    at: shown,
    here: found[shown],
    type(to) {
      setWanted(to);
      setAt(0);
    },
    go(by) {
      if (found.length > 0) setAt((shown + by + found.length) % found.length);
    },
  };
}

/** The field, how many there are, and the ways from one to the next. `onUse`: somebody looks for something. */
export function FindBar({ search, name, onUse }: { search: Search; name: string; onUse?: () => void }) {
  const { found, at, text } = search;
  const go = (by: number): void => {
    onUse?.();
    search.go(by);
  };
  return (
    <>
      <input
        type="search"
        value={search.wanted}
        onChange={(event) => {
          onUse?.();
          search.type(event.target.value);
        }}
        onKeyDown={(event) => event.key === "Enter" && go(event.shiftKey ? -1 : 1)}
        placeholder={name}
        aria-label={name}
        className={`${inputClass} !w-48 !py-0.5`}
      />
      {text === "" ? undefined : (
        <>
          <span role="status">
            {found.length === 0
              ? "not found"
              : `${(at + 1).toLocaleString("en")} of ${found.length.toLocaleString("en")}${found.length === MOST_FOUND ? " or more" : ""}`}
          </span>
          <Button small look="quiet" onClick={() => go(-1)} aria-label="Previous match">
            ↑
          </Button>
          <Button small look="quiet" onClick={() => go(1)} aria-label="Next match">
            ↓
          </Button>
        </>
      )}
    </>
  );
}
