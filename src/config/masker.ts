/** Replaces known secrets by `***`. Made once from the values; holds them, so it never leaves the process. */
export interface Masker {
  /** A whole text. */
  mask(text: string): string;
  /**
   * For text that arrives in pieces: holds back what may be the beginning of a secret. The pieces together give what
   * `mask` gives for the whole. One for each stream.
   */
  stream(): MaskStream;
}

export interface MaskStream {
  /** Takes a piece, answers what can be shown so far. */
  push(piece: string): string;
  /** The rest, at the end of the stream. */
  end(): string;
}

/** Shorter values are not masked: `***` for every `on` or `true` would hide the output, not the secret. */
const SHORTEST_MASKED = 6;
const MASK = "***";

/**
 * A masker for these values, also as they look URL-encoded, in base64 (at any offset, so inside `Basic` headers too),
 * and escaped for JSON. A value of several lines is masked line by line.
 */
export function createMasker(values: Iterable<string>): Masker {
  const needles = new Set<string>();
  for (const value of values) for (const form of formsOf(value)) needles.add(form);
  // Longest first: alternation takes the first that fits, and a short secret may begin a long one.
  const sorted = [...needles].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  if (sorted.length === 0) return { mask: (text) => text, stream: () => ({ push: (piece) => piece, end: () => "" }) };
  const pattern = new RegExp(sorted.map(escapeRegExp).join("|"), "g");
  const mask = (text: string): string => text.replace(pattern, MASK);
  return { mask, stream: () => streamOf(sorted, pattern, mask) };
}

function streamOf(needles: readonly string[], pattern: RegExp, mask: (text: string) => string): MaskStream {
  const longest = needles[0]?.length ?? 0;
  const prefixes = new Set(needles.map((n) => n[0]));
  let held = "";
  const mayBegin = (text: string, from: number): boolean => {
    if (!prefixes.has(text[from])) return false;
    const tail = text.slice(from);
    return needles.some((n) => n.length > tail.length && n.startsWith(tail));
  };
  return {
    push(piece) {
      const text = held + piece;
      let cut = Math.max(0, text.length - longest + 1);
      while (cut < text.length && !mayBegin(text, cut)) cut++;
      // A secret that is complete but reaches over the cut waits too: it may turn out to be a longer one.
      for (const match of text.matchAll(pattern)) {
        if (match.index >= cut) break;
        if (match.index + match[0].length > cut) cut = match.index;
      }
      held = text.slice(cut);
      return mask(text.slice(0, cut));
    },
    end() {
      const rest = mask(held);
      held = "";
      return rest;
    },
  };
}

function* formsOf(value: string): Generator<string> {
  for (const line of new Set(value.split(/\r?\n/).map((l) => l.trim()))) {
    // Lines that every key file has are no secret.
    if (line.length < SHORTEST_MASKED || /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/.test(line)) continue;
    yield line;
    yield* urlForms(line);
    const json = JSON.stringify(line).slice(1, -1);
    yield json;
    yield JSON.stringify(json).slice(1, -1);
    yield* base64Forms(line);
  }
}

function* urlForms(text: string): Generator<string> {
  // `toWellFormed`: a lone surrogate cannot be URL-encoded.
  const encoded = encodeURIComponent(text.toWellFormed());
  const strict = encoded.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const asFormField = new URLSearchParams([["", text]]).toString().slice(1);
  for (const form of [encoded, strict, asFormField]) {
    yield form;
    yield form.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  }
}

/** The characters of the base64 of any text with the secret in it that depend on nothing but the secret. */
function* base64Forms(text: string): Generator<string> {
  const bytes = Buffer.from(text);
  for (const offset of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor((whole.length * 8) / 6);
    const form = whole.toString("base64").slice(from, to);
    if (form.length < SHORTEST_MASKED + 1) continue;
    yield form;
    yield form.replace(/\+/g, "-").replace(/\//g, "_");
  }
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
