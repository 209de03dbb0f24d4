import { escapeTemplate, parseTemplate } from "./template.ts";

/**
 * Values of `env` stay templates until a process is started: text with `${{ secrets.NAME }}` in it, and `$${{` for `${{`. So a value of
 * an input that reads `${{ secrets.TOKEN }}` is text and brings no secret, and no secret is in an event.
 */

/** One piece of such a value. */
export type EnvPiece = { kind: "text"; text: string } | { kind: "secret"; name: string };

/** A `$` right before `${{` would read as an escape: a run of them is written as an expression. */
const dollarsLast = (text: string): string => text.replace(/\$+$/, (run) => `\${{ "${run}" }}`);
const DOLLARS = /^"(\$+)"$/;

export function envTemplate(pieces: readonly EnvPiece[]): string {
  let out = "";
  let literal = "";
  for (const piece of pieces) {
    if (piece.kind === "text") {
      literal += piece.text;
      continue;
    }
    out += `${dollarsLast(escapeTemplate(literal))}\${{ secrets.${piece.name} }}`;
    literal = "";
  }
  return out + escapeTemplate(literal);
}

/** Which secrets a step's `env` asks for. */
export function secretsIn(env: Readonly<Record<string, string>>): string[] {
  const names = Object.values(env).flatMap((text) => {
    const parsed = parseTemplate(text);
    return parsed.ok ? parsed.parts.flatMap((p) => (p.kind === "secret" ? [p.name] : [])) : [];
  });
  return [...new Set(names)];
}

/**
 * Variables for a process, from a resolved step's `env`: secrets are put in, `$${{` becomes `${{`. Call it for every step, as late as can be: what
 * it answers must not be recorded. `get` answers undefined for a secret that is not set.
 */
export function fillSecrets(
  env: Readonly<Record<string, string>>,
  get: (name: string) => string | undefined,
): { ok: true; env: Record<string, string> } | { ok: false; missing: string[] } {
  const missing = new Set<string>();
  const filled = Object.entries(env).map(([name, text]) => {
    if (!text.includes("${{")) return [name, text] as const;
    const parsed = parseTemplate(text);
    if (!parsed.ok) return [name, text] as const;
    const value = parsed.parts.map((part) => {
      if (part.kind === "text") return part.text;
      if (part.kind === "expression") return DOLLARS.exec(part.text)?.[1] ?? `\${{ ${part.text} }}`;
      const secret = get(part.name);
      if (secret === undefined) missing.add(part.name);
      return secret ?? "";
    });
    return [name, value.join("")] as const;
  });
  return missing.size > 0 ? { ok: false, missing: [...missing] } : { ok: true, env: Object.fromEntries(filled) };
}
