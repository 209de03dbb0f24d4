/** How figures are written. Money is formatted by the domain, so that it reads as in the terminal. */

/** `4.2 s`, `3 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  const parts = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
    small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
  const min = Math.floor(s / 60);
  if (min < 60) return parts(min, "min", Math.floor(s % 60), "s");
  const h = Math.floor(min / 60);
  if (h < 48) return parts(h, "h", min % 60, "min");
  return parts(Math.floor(h / 24), "d", h % 24, "h");
}

/** `just now`, `3 min ago`, `in 2 h`. */
export function agoText(at: number, now: number): string {
  const ms = now - at;
  const size = Math.abs(ms);
  if (size < 5_000) return ms >= 0 ? "just now" : "in a moment";
  const s = Math.floor(size / 1000);
  const one =
    s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min` : s < 172_800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
  return ms >= 0 ? `${one} ago` : `in ${one}`;
}

/** The exact time, in the reader's zone, with it. */
export const exactTime = (at: number): string => exact.format(at);

/** Made once: making one for each text costs more than all the rest of drawing it. */
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** The time of day to the second. */
export const clockText = (at: number): string => clock.format(at);

export const plural = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** `12,345`, or `1.2 M` where the exact figure is on hover. */
export function countText(n: number): string {
  if (n < 100_000) return n.toLocaleString("en");
  return n < 1_000_000 ? `${Math.round(n / 1000)} k` : `${(n / 1_000_000).toFixed(1)} M`;
}

export const percentText = (share: number): string => {
  const percent = 100 * share;
  if (percent > 0 && percent < 1) return "<1 %";
  return percent < 100 && percent > 99 ? ">99 %" : `${Math.round(percent)} %`;
};

/** The last folder of a path. */
export const nameOf = (path: string): string => path.split("/").findLast((part) => part !== "") ?? path;

/** A name for each project that no other one has: the last folder of its path, with those above it where that is not enough. */
export function projectNames(projects: readonly { path: string }[]): ReadonlyMap<string, string> {
  const parts = (path: string): string[] => path.split("/").filter((part) => part !== "");
  const nameWith = (path: string, folders: number): string => parts(path).slice(-folders).join("/") || path;
  return new Map(
    projects.map(({ path }) => {
      let folders = 1;
      const isShared = (): boolean =>
        projects.some((other) => other.path !== path && nameWith(other.path, folders) === nameWith(path, folders));
      while (folders < parts(path).length && isShared()) folders += 1;
      return [path, nameWith(path, folders)];
    }),
  );
}

/**
 * Text of an agent or a pipeline that somebody decides on. Characters that cannot be seen, and those that turn the order of what follows, are
 * written out: what is read is what there is.
 */
export const visibleText = (text: string): string =>
  text.replaceAll(
    // oxlint-disable-next-line no-control-regex
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `[U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );

/** As a word of a command that is copied into a shell. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
