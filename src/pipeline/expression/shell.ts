import type { Part } from "./template.ts";

/**
 * Values in shell commands. A value always arrives as (part of) one word and is never read as shell: outside quotes it is put in single quotes, inside
 * quotes it becomes part of the quoted text. That holds only where it is certain how the shell reads the place, so everything else is
 * refused when the pipeline is read: command substitution, here-documents, comments, `${x:-y}` before or around an expression; the
 * name of a program; code for another shell (`eval`, `sh -c`). What a program makes of the word is its own matter: a value that begins
 * with `-` is an option to most (`--` before it helps).
 */
export type Quoting = "plain" | "single" | "double";

export type ShellPlaces = { ok: true; quoting: Quoting[] } | { ok: false; at: number; message: string; hint: string };

const HINT = 'Give it a name, `env: { VALUE: ${{ ... }} }`, and write "$VALUE"';

export function shellPlaces(parts: readonly Part[]): ShellPlaces {
  const lexer = new Lexer();
  const quoting: Quoting[] = [];
  for (const part of parts) {
    if (part.kind === "text") lexer.text(part.text);
    else {
      const place = lexer.value();
      if (typeof place !== "string") return { ok: false, at: part.at, message: place.because, hint: HINT };
      quoting.push(place);
    }
  }
  return { ok: true, quoting };
}

/** A value as the shell must read it at a place. */
export function shellWord(value: string, quoting: Quoting): string {
  const inside = value.replaceAll("'", `'\\''`);
  switch (quoting) {
    case "single":
      return inside;
    case "plain":
      return `'${inside}'`;
    case "double":
      return `"'${inside}'"`;
    default:
      quoting satisfies never;
      return "";
  }
}

/** Words after which another command begins. */
const LEADING = /^(?:if|then|elif|else|do|while|until|!|\{|\}|time|exec|command|builtin|env|nohup|sudo|xargs|\w+=.*)$/s;
/** Programs that read their arguments as code, or as names whose subscripts some shells evaluate. */
const READS_CODE = /^(?:eval|\.|source|trap|alias|let|declare|typeset|read|unset|getopts|ssh|su|watch|parallel)$/;
const SHELL = /^(?:.*\/)?(?:ba|da|z|k|a|fi)?sh$/;

/** Reads a command as far as is needed to know where a value would stand. */
class Lexer {
  #mode: Quoting | "comment" = "plain";
  /** Of the word it is in; undefined between words. Quotes are left out, values are a NUL. */
  #word: string | undefined;
  #place: "program" | "argument" | "redirection" = "program";
  #afterRedirection: "program" | "argument" = "program";
  #isShell = false;
  /** Why nothing is certain any more. */
  #lost: string | undefined;
  #isEscaped = false;

  value(): Quoting | { because: string } {
    if (this.#isEscaped) return { because: "A backslash stands before the expression" };
    if (this.#mode === "comment") return { because: "The expression stands in a comment" };
    if (this.#lost !== undefined)
      return { because: `The expression stands in or behind ${this.#lost}, where a value could be read as shell` };
    if (this.#place === "program" && !/^\w+=/.test(this.#word ?? ""))
      return { because: "The expression stands where the name of a program does" };
    this.#word = `${this.#word ?? ""}\0`;
    return this.#mode;
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) i += this.#take(text, i);
  }

  /** Takes one character in; answers how many more it took. */
  #take(text: string, i: number): number {
    const c = text.charAt(i);
    if (this.#isEscaped) {
      this.#isEscaped = false;
      // A line that goes on is as if nothing stood there.
      if (c !== "\n") this.#word = `${this.#word ?? ""}${c}`;
      return 0;
    }
    switch (this.#mode) {
      case "comment":
        if (c !== "\n") return 0;
        this.#mode = "plain";
        this.#endCommand();
        return 0;
      case "single":
        if (c === "'") this.#mode = "plain";
        else this.#word += c;
        return 0;
      case "double":
        if (c === '"') this.#mode = "plain";
        else if (c === "\\") this.#isEscaped = true;
        else if (c === "$" || c === "`") return this.#expansion(text, i);
        else this.#word += c;
        return 0;
      case "plain":
        return this.#plain(text, i, c);
      default:
        this.#mode satisfies never;
        return 0;
    }
  }

  #plain(text: string, i: number, c: string): number {
    if (c === "#" && this.#word === undefined) this.#mode = "comment";
    else if (c === "'" || c === '"') {
      this.#mode = c === "'" ? "single" : "double";
      this.#word ??= "";
    } else if (c === "\\") this.#isEscaped = true;
    else if (c === "$" || c === "`") return this.#expansion(text, i);
    else if (c === " " || c === "\t") this.#endWord();
    else if (c === "<" || c === ">") {
      const operator = /^(?:<<|[<>][>&|]?)/.exec(text.slice(i, i + 2))?.[0] ?? c;
      if (operator === "<<") this.#lost ??= "a here-document";
      // `2> file`: the number is no word.
      if (/^\d+$/.test(this.#word ?? "")) this.#word = undefined;
      this.#endWord();
      // `> file cmd`: the program's name comes behind the file's.
      if (this.#place !== "redirection") this.#afterRedirection = this.#place;
      this.#place = "redirection";
      return operator.length - 1;
    } else if ("\n;&|()".includes(c)) {
      if (c === "(" && text[i + 1] === "(") this.#lost ??= "arithmetic";
      this.#endCommand();
    } else this.#word = `${this.#word ?? ""}${c}`;
    return 0;
  }

  /** `$NAME` and `${NAME}` are harmless; all else may hold quotes and commands of its own. */
  #expansion(text: string, i: number): number {
    this.#word ??= "";
    const simple = /^\$(?:\{[A-Za-z0-9_#?]+\}|[A-Za-z0-9_@*#?$!-])/.exec(text.slice(i, i + 200))?.[0];
    if (simple !== undefined) {
      this.#word += simple;
      return simple.length - 1;
    }
    if (text[i] === "`") this.#lost ??= "a command substitution";
    else if (text[i + 1] === "(") this.#lost ??= "a command substitution";
    else if (text[i + 1] === "{") this.#lost ??= "a parameter with a pattern or default";
    else if (text[i + 1] === "'" || text[i + 1] === '"') this.#lost ??= "a text quoted with `$`";
    else if (text[i + 1] === undefined) this.#lost ??= "a lone `$`";
    this.#word += "$";
    return 0;
  }

  #endCommand(): void {
    this.#endWord();
    this.#place = "program";
    this.#isShell = false;
  }

  #endWord(): void {
    const word = this.#word;
    this.#word = undefined;
    if (word !== undefined) this.#learn(word);
  }

  #learn(word: string): void {
    if (word === "[[") this.#lost ??= "`[[`";
    if (this.#isShell && /^-\w*c/.test(word)) this.#lost ??= "code for another shell";
    if (SHELL.test(word)) this.#isShell = true;
    if (this.#place === "redirection") this.#place = this.#afterRedirection;
    else if (this.#place === "program") {
      if (READS_CODE.test(word)) this.#lost ??= `\`${word}\``;
      if (!LEADING.test(word)) this.#place = "argument";
    }
  }
}
