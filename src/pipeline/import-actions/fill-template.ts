import { looksLikeSecretName, looksLikeSecretValue } from "../../config/index.ts";
import { parseExpression } from "./expression.ts";
import { splitTemplate } from "./template.ts";
import { celText, toCel, type CelScope } from "./to-cel.ts";
import type { Variable } from "./workflow.ts";

export type EnvValue = { ok: true; text: string; note?: string } | { ok: false; because: string };

/** A variable of the workflow or of a job as one of the pipeline's. A secret written out becomes one that is given by name. */
export function envValue({ name, value }: Variable, scope: CelScope): EnvValue {
  if (!/^[A-Za-z_]\w*$/.test(name)) return { ok: false, because: `${name} is no name that a shell knows` };
  if (value !== "" && (looksLikeSecretName(name) || looksLikeSecretValue(value)) && !/\bsecrets\b|\bgithub\.token\b/.test(value)) {
    scope.inputs.secrets.add(name);
    return { ok: true, text: `\${{ secrets.${name} }}`, note: `${name} looks like a secret written out; it is the secret ${name} now` };
  }
  const filled = fillTemplate(value, scope);
  return filled.ok ? filled : { ok: false, because: filled.because };
}

/** A text with GitHub's `${{ }}` as one with the pipeline's. */
export function fillTemplate(text: string, scope: CelScope): { ok: true; text: string } | { ok: false; because: string } {
  const parts = splitTemplate(text);
  if (!parts) return { ok: false, because: "an expression is not closed" };
  let filled = "";
  for (const part of parts) {
    if (part.kind === "text") {
      filled += part.text;
      continue;
    }
    const parsed = parseExpression(part.text);
    const value = parsed.ok ? toCel(parsed.expression, scope) : parsed;
    if (!value.ok) return { ok: false, because: `\${{ ${part.text} }}: ${value.because}` };
    // A text that is known needs no expression.
    const isPlain = parsed.ok && parsed.expression.kind === "literal" && typeof parsed.expression.value === "string";
    const known = isPlain && parsed.ok && parsed.expression.kind === "literal" ? String(parsed.expression.value) : undefined;
    filled += known !== undefined && celText(known) === value.cel && !known.includes("${{") ? known : `\${{ ${value.cel} }}`;
  }
  return { ok: true, text: filled };
}
