import type { Parser, Tree } from "@lezer/common";
import { faultAt, MOST_FAULTS, shownText, type Fault } from "./fault.ts";
import { gaveUp, patience } from "./patience.ts";

const grammars: Readonly<Record<"css" | "html" | "cpp", () => Promise<{ parser: Parser }>>> = {
  css: () => import("@lezer/css"),
  html: () => import("@lezer/html"),
  cpp: () => import("@lezer/cpp"),
};

export const SOMETHING_MISSING = "something is missing here";

function parseFor(parser: Parser, text: string): Tree {
  const isOver = patience();
  const parse = parser.startParse(text);
  for (let tree = parse.advance(); ; tree = parse.advance()) {
    if (tree) return tree;
    if (isOver()) throw gaveUp();
  }
}

/** Faults by a grammar of Lezer, in the order of the text. */
export async function lezerFaults(text: string, grammar: keyof typeof grammars): Promise<Fault[]> {
  const { parser } = await grammars[grammar]();
  const faults: Fault[] = [];
  parseFor(parser, text).iterate({
    enter({ type, from, to }) {
      if (faults.length >= MOST_FAULTS) return false;
      if (!type.isError) return undefined;
      const seen = shownText(text.slice(from, to));
      faults.push(faultAt(text, from, seen === "" ? SOMETHING_MISSING : `unexpected \`${seen}\``));
      return false;
    },
  });
  return faults;
}
