import { useEffect, useRef } from "react";

type Keys = Readonly<Record<string, ((event: KeyboardEvent) => unknown) | undefined>>;

/** What hears keys, whoever came last first. Two parts that show at the same time use different keys. */
const mounted: { current: Keys }[] = [];

/** After g the next key names a page: `g i`. Nothing else hears it, so that no letter on its way approves something. */
const PREFIX = "g";
const PREFIX_MS = 1_200;
let prefixAt: number | undefined;

const typesIn = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox"));

function heard(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typesIn(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  // Enter and space on a link or a button are theirs.
  if (/^(Enter| )$/.test(event.key) && event.target instanceof HTMLElement && /^(A|BUTTON|SUMMARY|INPUT)$/.test(event.target.tagName))
    return;
  // Arrows on a slider are its own.
  if (event.key.startsWith("Arrow") && event.target instanceof HTMLInputElement) return;
  const isPrefixed = prefixAt !== undefined && event.timeStamp - prefixAt < PREFIX_MS;
  prefixAt = undefined;
  if (!isPrefixed && event.key === PREFIX) {
    prefixAt = event.timeStamp;
    return;
  }
  // Held down it would do the same again and again; moving may repeat.
  if (event.repeat && !/^(Arrow|[jk[\]]$)/.test(event.key)) return;
  const name = isPrefixed ? `${PREFIX} ${event.key}` : event.key;
  for (const { current } of mounted) {
    const act = current[name];
    if (act && act(event) !== false) return event.preventDefault();
  }
}

/**
 * Keys that do something on a page, by `KeyboardEvent.key`, or `g` and a key: `"g i"`. Not while somebody types, nor while a window is open, nor
 * with Ctrl, Alt or Meta. A handler that answers `false` leaves the key to others.
 */
export function useShortcuts(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    mounted.unshift(latest);
    if (mounted.length === 1) window.addEventListener("keydown", heard);
    return () => {
      mounted.splice(mounted.indexOf(latest), 1);
      if (mounted.length === 0) window.removeEventListener("keydown", heard);
    };
  }, []);
}
