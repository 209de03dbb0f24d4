import { faultAt, type Fault } from "./fault.ts";

const CLOSES: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** Comments, strings, characters, raw strings, directives with their continued lines, and brackets. */
const PIECE =
  /\/\/(?:\\\r?\n|[^\n])*|\/\*[\s\S]*?(?:\*\/|(?![\s\S]))|R"([^()\\\s]{0,16})\([\s\S]*?\)\1"|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|^[ \t]*#[ \t]*(\w*)(?:\\\r?\n|\/\*[\s\S]*?\*\/|[^\n])*|[()[\]{}]/gm;

/**
 * The first bracket of C or C++ that has no other half. Of `#if ... #else ... #endif` the first part counts: the parts often open the
 * same bracket each. What macros stand for is not known, which is why this alone is no verdict (see check.ts).
 */
export function bracketFault(text: string): Fault | undefined {
  const open: { bracket: string; at: number }[] = [];
  /** Conditions around: whether the part that counts is over. */
  const conditions: boolean[] = [];
  for (const match of text.matchAll(PIECE)) {
    const [piece] = match;
    const directive = match[2];
    if (directive !== undefined) {
      if (directive.startsWith("if")) conditions.push(false);
      else if (directive === "endif") conditions.pop();
      else if (directive.startsWith("el") && conditions.length > 0) conditions[conditions.length - 1] = true;
      continue;
    }
    if (piece.length > 1 || conditions.includes(true)) continue;
    const other = CLOSES[piece];
    if (other === undefined) open.push({ bracket: piece, at: match.index });
    else if (open.at(-1)?.bracket === other) open.pop();
    else return faultAt(text, match.index, `\`${piece}\` closes nothing`);
  }
  const last = open.at(-1);
  return last && faultAt(text, last.at, `\`${last.bracket}\` is never closed`);
}
