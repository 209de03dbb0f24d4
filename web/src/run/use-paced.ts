import { useEffect, useRef, useState } from "react";

/** Drawing takes at most about this share of the time; the rest is for whoever scrolls or types. */
const SHARE = 0.25;
const LONGEST_MS = 1000;

/**
 * A value that changes often, at most so often: at once after a rest, and the last one always comes. Where drawing it takes long, because the page is
 * large or the machine is busy, it comes less often.
 */
export function usePaced<T>(value: T, everyMs: number): T {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  const pace = useRef({ at: 0, drawnInMs: 0, timer: 0 });
  latest.current = value;
  useEffect(() => {
    const own = pace.current;
    if (own.timer !== 0) return;
    const show = (): void => {
      own.timer = 0;
      own.at = performance.now();
      setShown(latest.current);
      // The task after the frame begins when it is drawn.
      requestAnimationFrame(() => setTimeout(() => (own.drawnInMs = performance.now() - own.at)));
    };
    const rest = own.at + Math.min(LONGEST_MS, Math.max(everyMs, own.drawnInMs / SHARE)) - performance.now();
    if (rest <= 0) show();
    else own.timer = window.setTimeout(show, rest);
  }, [value, everyMs]);
  useEffect(() => {
    const own = pace.current;
    return () => {
      window.clearTimeout(own.timer);
      own.timer = 0;
    };
  }, []);
  return shown;
}
