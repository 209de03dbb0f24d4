const seconds = { s: 1, m: 60, h: 3600 };

/** Seconds of a text such as `90s`, `15m` or `1h30m`. Throws a RangeError for anything else. */
export function parseDuration(text) {
  const match = /^(\d+)([smh])/.exec(text);
  if (!match) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * seconds[match[2]];
}
