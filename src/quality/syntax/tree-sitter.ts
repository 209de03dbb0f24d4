import { createRequire } from "node:module";
import type * as TreeSitter from "@vscode/tree-sitter-wasm";
import type { Node, Parser } from "@vscode/tree-sitter-wasm";
import { faultOnLine, MOST_FAULTS, shownText, type Fault } from "./fault.ts";
import { gaveUp, patience } from "./patience.ts";

type Library = typeof TreeSitter;

const require = createRequire(import.meta.url);
const PACKAGE = "@vscode/tree-sitter-wasm";

// Kept for the life of the process: loading one takes about as long as parsing a hundred files.
let library: Promise<Library> | undefined;
const parsers = new Map<string, Promise<Parser>>();

async function load(): Promise<Library> {
  const loaded = require(PACKAGE) as Library;
  await loaded.Parser.init();
  return loaded;
}

/** The memory of WebAssembly that ran over is of no use any more: the next text gets a fresh one. */
function forget(): void {
  delete require.cache[require.resolve(PACKAGE)];
  library = undefined;
  parsers.clear();
}

async function parserFor(grammar: string): Promise<Parser> {
  const { Parser, Language } = await (library ??= load());
  const parser = new Parser();
  parser.setLanguage(await Language.load(require.resolve(`${PACKAGE}/wasm/tree-sitter-${grammar}.wasm`)));
  return parser;
}

/** Faults by a grammar of tree-sitter, in the order of the text. */
export async function treeSitterFaults(text: string, grammar: string): Promise<Fault[]> {
  const made = parsers.get(grammar) ?? parserFor(grammar);
  parsers.set(grammar, made);
  const parser = await made;
  try {
    const tree = parser.parse(text, null, { progressCallback: patience() });
    if (!tree) throw gaveUp();
    const faults: Fault[] = [];
    collect(tree.rootNode, text.split("\n"), faults);
    tree.delete();
    return faults;
  } catch (error) {
    // What gave up would go on where it was.
    forget();
    throw isOverflow(error) ? new RangeError("a text nested too deep for its parser", { cause: error }) : error;
  }
}

/** Not by its class: those of WebAssembly are no part of the language that is known here. */
const isOverflow = (error: unknown): boolean => error instanceof RangeError || (error instanceof Error && error.name === "RuntimeError");

function collect(node: Node, lines: readonly string[], into: Fault[]): void {
  if (!node.hasError || into.length >= MOST_FAULTS) return;
  const found = into.length;
  // A text of which nothing fits is one error; those inside say more.
  const isWhole = node.parent === null;
  if (!isWhole && (node.isError || node.isMissing)) return void into.push(faultOf(node, lines));
  for (const child of node.children) if (child) collect(child, lines, into);
  if (isWhole && into.length === found) into.push(faultOf(node, lines));
}

function faultOf(node: Node, lines: readonly string[]): Fault {
  const seen = shownText(node.text);
  const message = node.isMissing ? `\`${node.type}\` is missing` : seen === "" ? "the text ends too early" : `unexpected \`${seen}\``;
  return faultOnLine(lines, node.startPosition.row + 1, message);
}
