import type { ASTNode } from "@marcbachmann/cel-js";

/** A variable as an expression uses it: `steps.fix.output.n` is root `steps`, keys `fix`, `output`, `n`. */
export interface Reference {
  root: string;
  keys: string[];
  /** Another index follows that is known only when it is evaluated. */
  open: boolean;
  /** Offset of the root in the text. */
  at: number;
}

/** Functions of lists that give a name to each item. */
export const MACROS: readonly string[] = ["all", "exists", "exists_one", "map", "filter"];

/** Every free variable: names that `list.map(x, ...)` gives are not free inside it. */
export function referencesOf(ast: ASTNode): Reference[] {
  const found: Reference[] = [];
  visit(ast, new Set(), found);
  return found;
}

function visit(node: ASTNode, bound: ReadonlySet<string>, found: Reference[]): void {
  const all = (nodes: readonly ASTNode[], names = bound): void => nodes.forEach((n) => visit(n, names, found));
  switch (node.op) {
    case "value":
      return;
    case "id":
    case ".":
    case ".?":
    case "[]":
    case "[?]":
      return visitAccess(node, bound, found);
    case "call":
      return all(node.args[1]);
    case "rcall": {
      const [name, receiver, args] = node.args;
      const isBind = name === "bind" && receiver.op === "id" && receiver.args === "cel";
      if (!isBind) visit(receiver, bound, found);
      const variable = args[0];
      if ((!isBind && !MACROS.includes(name)) || variable?.op !== "id") return all(args);
      const inside = new Set([...bound, variable.args]);
      if (isBind) {
        all(args.slice(1, 2));
        return all(args.slice(2), inside);
      }
      return all(args.slice(1), inside);
    }
    case "map":
      return all(node.args.flat());
    case "list":
      return all(node.args);
    case "!_":
    case "-_":
      return visit(node.args, bound, found);
    default:
      return all(node.args);
  }
}

/** Down a chain of `.name` and `["name"]` to the variable it begins with. */
function visitAccess(node: ASTNode, bound: ReadonlySet<string>, found: Reference[]): void {
  const keys: string[] = [];
  let open = false;
  let at = node;
  while (at.op === "." || at.op === ".?" || at.op === "[]" || at.op === "[?]") {
    const key: ASTNode | string = at.args[1];
    const name = typeof key === "string" ? key : key.op === "value" && typeof key.args === "string" ? key.args : undefined;
    if (name !== undefined) keys.unshift(name);
    else {
      // Names behind an index that is not known yet say nothing about the variable.
      keys.length = 0;
      open = true;
      visit(key as ASTNode, bound, found);
    }
    at = at.args[0];
  }
  if (at.op !== "id") return visit(at, bound, found);
  if (!bound.has(at.args)) found.push({ root: at.args, keys, open, at: at.start });
}
