import type { ASTNode } from "@marcbachmann/cel-js";
import { MACROS } from "./references.ts";

/**
 * What an expression may call, and how its work is measured. The library bounds the size of an expression but not the size of what it
 * computes (`[x].map(x, x + x).map(x, x + x)...` doubles each time): so each value that comes into being passes through
 * `measured__`, which counts.
 */

const FUNCTIONS = ["size", "string", "int", "double", "bool", "dyn", "has"];
const METHODS = "size startsWith endsWith contains indexOf lastIndexOf substring split join trim lowerAscii upperAscii".split(" ");

interface Fault {
  message: string;
  hint: string;
  at: number;
}

/** What people may not write though the library knows it: whatever depends on time, makes bytes, or runs a pattern of unbounded cost. */
export function faultOf(node: ASTNode, deepest: number): Fault | undefined {
  if (deepest < 0)
    return {
      message: "The expression is nested too deeply",
      hint: "Write it more simply, or let a command step compute it",
      at: node.start,
    };
  if (node.op === "value" && typeof node.args === "object" && node.args !== null)
    return { message: "Bytes and unsigned numbers are not supported in expressions", hint: "Write text or a plain number", at: node.start };
  if (node.op === "call" && !FUNCTIONS.includes(node.args[0])) return unknownFunction(node.args[0], FUNCTIONS, node.start);
  if (node.op === "rcall" && ![...METHODS, ...MACROS].includes(node.args[0])) {
    const end = node.args[1].end;
    if (node.args[0] === "matches")
      return {
        message: "`matches` is not supported yet: a pattern's cost has no bound",
        hint: "Use contains, startsWith or endsWith",
        at: end,
      };
    return unknownFunction(node.args[0], [...METHODS, ...MACROS], end);
  }
  for (const part of partsOf(node)) {
    const fault = faultOf(part, deepest - 1);
    if (fault) return fault;
  }
  return undefined;
}

const unknownFunction = (name: string, known: readonly string[], at: number): Fault => ({
  message: `There is no function \`${name}\` here`,
  hint: `There are ${known.join(", ")}`,
  at,
});

function partsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "map":
      return node.args.flat();
    case "!_":
    case "-_":
      return [node.args];
    default:
      return node.args;
  }
}

/** The same expression with every value that it makes measured. */
export function metered(node: ASTNode): string {
  switch (node.op) {
    case "value":
      return valueText(node.args);
    case "id":
      return node.args;
    case "!_":
      return `(!${metered(node.args)})`;
    case "-_":
      return `(-${metered(node.args)})`;
    case ".":
    case ".?":
      return `${metered(node.args[0])}${node.op}${node.args[1]}`;
    case "[]":
    case "[?]":
      return `${metered(node.args[0])}${node.op === "[]" ? "[" : "[?"}${metered(node.args[1])}]`;
    case "call": {
      const [name, args] = node.args;
      const text = `${name}(${args.map(metered).join(", ")})`;
      return name === "has" ? text : `measured__(${text})`;
    }
    case "rcall": {
      const [name, receiver, args] = node.args;
      const isMacro = MACROS.includes(name);
      // These two pass over errors of single items, that of a spent measure too; a filter does not. So an item that cannot be judged is
      // an error here even when another decides.
      const [variable, predicate] = args;
      if ((name === "exists" || name === "all") && variable && predicate) {
        const judged = name === "exists" ? `measured__(${metered(predicate)})` : `!measured__(${metered(predicate)})`;
        return `(measured__(${metered(receiver)}.filter(${metered(variable)}, ${judged})).size() ${name === "exists" ? "> 0" : "== 0"})`;
      }
      const parts = args.map((arg, i) => (isMacro && i > 0 ? `measured__(${metered(arg)})` : metered(arg)));
      return `measured__(${metered(receiver)}.${name}(${parts.join(", ")}))`;
    }
    case "list":
      return `measured__([${node.args.map(metered).join(", ")}])`;
    case "map":
      return `measured__({${node.args.map(([k, v]) => `${metered(k)}: ${metered(v)}`).join(", ")}})`;
    case "?:":
      return `(${metered(node.args[0])} ? ${metered(node.args[1])} : ${metered(node.args[2])})`;
    case "+":
      return `measured__(${metered(node.args[0])} + ${metered(node.args[1])})`;
    default:
      return `(${metered(node.args[0])} ${node.op} ${metered(node.args[1])})`;
  }
}

function valueText(value: unknown): string {
  if (typeof value === "number") return doubleText(value);
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(value);
}

/** `2` would be an integer. */
export const doubleText = (value: number): string => (/^-?\d+$/.test(String(value)) ? value.toExponential() : String(value));
