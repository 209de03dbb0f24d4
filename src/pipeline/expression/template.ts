/**
 * Texts with `${{ CEL }}` in them. `$${{` is the text `${{`. An expression ends at the first `}}` outside its own quotes and braces.
 */

export type Part =
  | { kind: "text"; text: string }
  /** `at`: offset of the expression itself in the whole text. */
  | { kind: "expression"; text: string; at: number }
  /** `${{ secrets.NAME }}`, which stands alone. */
  | { kind: "secret"; name: string; at: number };

export type Template = { ok: true; parts: Part[] } | { ok: false; message: string; hint: string; at: number };

const OPEN = "${{";
const QUOTED = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g;
const SECRET = /^secrets\s*\.\s*([A-Za-z_]\w*)$/;

export function parseTemplate(text: string): Template {
  const parts: Part[] = [];
  let literal = "";
  const flush = (): void => {
    if (literal !== "") parts.push({ kind: "text", text: literal });
    literal = "";
  };
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf(OPEN, at);
    if (open < 0) break;
    if (text[open - 1] === "$" && open > at) {
      literal += text.slice(at, open - 1) + OPEN;
      at = open + OPEN.length;
      continue;
    }
    const end = endOf(text, open + OPEN.length);
    if (end === undefined) {
      return { ok: false, message: "`${{` has no `}}` that ends it", hint: "Close it; write `$${{` for the text itself", at: open };
    }
    literal += text.slice(at, open);
    flush();
    const inner = text.slice(open + OPEN.length, end);
    const expression = inner.trim();
    const start = open + OPEN.length + (inner.length - inner.trimStart().length);
    const secret = SECRET.exec(expression)?.[1];
    parts.push(secret === undefined ? { kind: "expression", text: expression, at: start } : { kind: "secret", name: secret, at: start });
    at = end + 2;
  }
  literal += text.slice(at);
  flush();
  return { ok: true, parts };
}

/** The expression of a text that is nothing else; such a text keeps the type of its value. */
export function soleExpression(parts: readonly Part[]): string | undefined {
  const [part] = parts;
  return parts.length === 1 && part?.kind === "expression" ? part.text : undefined;
}

/** A field that is CEL, with `${{ }}` around it or without. */
export function celOf(text: string): { ok: true; text: string; at: number } | { ok: false; message: string; hint: string; at: number } {
  // In quotes it is text, such as an item of a list that somebody gave.
  if (!text.replaceAll(QUOTED, "").includes(OPEN)) return { ok: true, text: text.trim(), at: text.length - text.trimStart().length };
  const lead = text.length - text.trimStart().length;
  const parsed = parseTemplate(text.trim());
  if (!parsed.ok) return { ...parsed, at: parsed.at + lead };
  const [part] = parsed.parts;
  if (parsed.parts.length === 1 && part?.kind === "expression") return { ok: true, text: part.text, at: part.at + lead };
  return {
    ok: false,
    message: "Here stands one expression, and no text around it",
    hint: "Write it without `${{ }}`, joined by `&&`, `||` or `+`",
    at: lead,
  };
}

/** Literal text so that `parseTemplate` reads it back. By a function: `$$` in a replacement text is one `$`. */
export const escapeTemplate = (text: string): string => text.replaceAll(OPEN, () => `$${OPEN}`);

/** Every `$${{` as what it means, of a text that holds no expression. */
export const unescapeTemplate = (text: string): string => text.replaceAll(`$${OPEN}`, () => OPEN);

function endOf(text: string, from: number): number | undefined {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    if (c === '"' || c === "'") {
      const close = closing(text, i, c);
      if (close === undefined) return undefined;
      i = close;
    } else if (c === "{") depth++;
    else if (c === "}") {
      if (depth === 0) return text[i + 1] === "}" ? i : undefined;
      depth--;
    }
  }
  return undefined;
}

function closing(text: string, open: number, quote: string): number | undefined {
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote) return i;
  }
  return undefined;
}
