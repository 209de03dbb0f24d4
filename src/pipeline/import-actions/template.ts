/** A text with `${{ }}` in it, taken apart. */
export type TemplatePart = { kind: "text"; text: string } | { kind: "expression"; text: string };

/**
 * Texts and expressions in turn. A `}}` inside a quoted text of an expression does not end it. `undefined` when an expression
 * is never closed.
 */
export function splitTemplate(text: string): TemplatePart[] | undefined {
  const parts: TemplatePart[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf("${{", at);
    if (open < 0) break;
    if (open > at) parts.push({ kind: "text", text: text.slice(at, open) });
    const close = closing(text, open + 3);
    if (close < 0) return undefined;
    parts.push({ kind: "expression", text: text.slice(open + 3, close).trim() });
    at = close + 2;
  }
  if (at < text.length) parts.push({ kind: "text", text: text.slice(at) });
  return parts;
}

/** The expression a condition is, with or without `${{ }}` around it; `undefined` for text around it, which GitHub reads as true. */
export function conditionText(text: string): string | undefined {
  if (!text.includes("${{")) return text.trim();
  const parts = splitTemplate(text.trim());
  const [only] = parts ?? [];
  return parts?.length === 1 && only?.kind === "expression" ? only.text : undefined;
}

function closing(text: string, from: number): number {
  let isQuoted = false;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "'") isQuoted = !isQuoted; // two quotes in a row, an escaped one, turn it twice
    else if (!isQuoted && text.startsWith("}}", i)) return i;
  }
  return -1;
}
