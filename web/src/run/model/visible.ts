/**
 * Characters that nobody sees, or that show what is around them in another order than it has: a change could read as one thing and be another.
 * Joiners are not among them: emoji and several scripts are written with them.
 */
// oxlint-disable-next-line no-control-regex, no-misleading-character-class -- they are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export const hasUnseen = (text: string): boolean => text.search(UNSEEN) >= 0;

/** With their numbers in their place: `⟨U+202E⟩`. */
export const visible = (text: string): string =>
  text.replace(UNSEEN, (char) => `⟨U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
