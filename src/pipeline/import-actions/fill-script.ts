import { parseExpression } from "./expression.ts";
import { quoted, shellWord, type ShellScope } from "./to-shell.ts";
import { splitTemplate } from "./template.ts";

export type FilledText = { ok: true; text: string } | { ok: false; because: string };

/** A value with `${{ }}` as text between double quotes of a shell. */
export function fillValue(text: string, scope: ShellScope): FilledText {
  return fill(
    text,
    scope,
    (part) => quoted(part),
    (word) => word,
  );
}

/**
 * A shell script with `${{ }}` in it: each becomes a variable, so that a value can be a word of the script but never code of
 * it. Where it stands between single quotes these are left and entered again.
 */
export function fillScript(script: string, scope: ShellScope): FilledText {
  const only = splitTemplate(script.trim());
  if (only?.length === 1 && only[0]?.kind === "expression") {
    const value = wordOf(only[0].text, scope);
    return value.ok ? { ok: true, text: `eval "${value.text}"\n` } : value;
  }
  const quotes = new Quotes();
  return fill(
    script,
    scope,
    (part) => (quotes.read(part), part),
    (word) => {
      switch (quotes.inside) {
        case "single":
          return `'"${word}"'`;
        case "literal":
          return undefined;
        case "none":
        case "double":
          return word;
        default:
          return quotes.inside satisfies never;
      }
    },
  );
}

function fill(text: string, scope: ShellScope, write: (part: string) => string, place: (word: string) => string | undefined): FilledText {
  const parts = splitTemplate(text);
  if (!parts) return { ok: false, because: "an expression is not closed" };
  let filled = "";
  for (const part of parts) {
    if (part.kind === "text") {
      filled += write(part.text);
      continue;
    }
    const value = wordOf(part.text, scope);
    if (!value.ok) return value;
    const placed = place(value.text);
    if (placed === undefined)
      return { ok: false, because: `\${{ ${part.text} }} stands in a quoted here-document, where the shell has no variables` };
    filled += placed;
  }
  return { ok: true, text: filled };
}

function wordOf(text: string, scope: ShellScope): FilledText {
  const parsed = parseExpression(text);
  if (!parsed.ok) return { ok: false, because: `\${{ ${text} }}: ${parsed.because}` };
  const word = shellWord(parsed.expression, scope);
  return word.ok ? { ok: true, text: word.word } : { ok: false, because: `\${{ ${text} }}: ${word.because}` };
}

/** Follows a shell script, to know in which quotes its end stands. */
class Quotes {
  /** Open quotes, `$(`, and here-documents, the innermost last. */
  readonly #open: ("'" | '"' | "(")[] = [];
  #line = "";
  #pending: { end: string; isLiteral: boolean }[] = [];
  #here: { end: string; isLiteral: boolean } | undefined;
  #isComment = false;

  get inside(): "none" | "single" | "double" | "literal" {
    if (this.#here) return this.#here.isLiteral ? "literal" : "double";
    const top = this.#open.at(-1);
    return top === "'" ? "single" : top === '"' ? "double" : "none";
  }

  read(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const c = text[i] ?? "";
      if (c === "\n") {
        this.#endLine();
        continue;
      }
      this.#line += c;
      if (this.#here || this.#isComment) continue;
      const top = this.#open.at(-1);
      if (top === "'") {
        if (c === "'") this.#open.pop();
      } else if (c === "\\") {
        this.#line += text[++i] ?? "";
        if (text[i] === "\n") this.#line = "";
      } else if (c === '"') {
        if (top === '"') this.#open.pop();
        else this.#open.push('"');
      } else if (c === "$" && text[i + 1] === "(") {
        this.#open.push("(");
        i++;
      } else if (c === ")" && top === "(") this.#open.pop();
      else if (top !== '"') {
        if (c === "'") this.#open.push("'");
        else if (c === "#" && /(?:^|[\s;|&(])#$/.test(this.#line)) this.#isComment = true;
        else if (c === "<" && text[i - 1] !== "<" && text[i + 2] !== "<") this.#startHere(text.slice(i, i + 200));
      }
    }
  }

  #startHere(ahead: string): void {
    const [, literal, end] = /^<<-?\s*(["'\\]?)([\w.-]+)/.exec(ahead) ?? [];
    if (end !== undefined) this.#pending.push({ end, isLiteral: literal !== "" });
  }

  #endLine(): void {
    this.#isComment = false;
    const line = this.#line.trim();
    this.#line = "";
    if (this.#here) {
      if (line === this.#here.end) this.#here = this.#pending.shift();
    } else this.#here = this.#pending.shift();
  }
}
