import type { ExpressionPlace } from "./expression-check.ts";

/** What may stand in a text of a step, by its path below the step; `opaque`: its texts are nobody's business here. */
export function placeInStep(path: readonly string[]): ExpressionPlace | "opaque" {
  const [key, second, third, fourth, , sixth] = path;
  const depth = path.length;
  switch (key) {
    case "if":
      return depth === 1 ? "condition" : "opaque";
    case "prompt":
      return "text";
    case "command":
      return "command";
    case "env":
      return depth === 2 ? "env" : "opaque";
    case "setup":
    case "teardown":
      return depth === 2 ? "command" : "opaque";
    case "touches":
      return depth === 2 ? "glob" : "opaque";
    case "outputs":
      // A schema may hold any text.
      if (second === "json") return third === "file" ? "glob" : "opaque";
      return "glob";
    case "gates":
      return depth === 2 ? "command" : placeInGate(third, fourth, sixth);
    case "approve":
      return depth === 1 || second === "title" || second === "detail" ? "text" : "nowhere";
    case "ask":
      return depth === 1 || second === "question" || second === "choices" || second === "default" ? "text" : "nowhere";
    case "with":
    case "matrix":
      return "value";
    case "foreach":
      return depth === 1 ? "list" : "value";
    // Seen from inside: checked with the steps it is about.
    case "repeat":
    case "steps":
      return "opaque";
    default:
      return "nowhere";
  }
}

/** `inner`: the key below the gate's own, or a place in a list. `below`: the key in an item of the list there. */
function placeInGate(kind: string | undefined, inner: string | undefined, below: string | undefined): ExpressionPlace | "opaque" {
  switch (kind) {
    case "command":
      return "command";
    case "regression":
      return inner === undefined || inner === "command" ? "command" : inner === "report" ? "glob" : "nowhere";
    case "schema":
      // A schema may hold any text.
      return inner === "files" ? "glob" : inner === "schema" ? "opaque" : "nowhere";
    case "judge":
      if (inner === undefined) return "text";
      return inner === "rubric" && (below === undefined || below === "text") ? "text" : "nowhere";
    case "files":
    case "diff":
    case "coverage":
    case "syntax":
      return "glob";
    default:
      return "nowhere";
  }
}

/** Every text below a value, with its path. Values that aliases share are found at each of their places. */
export function* textsIn(value: unknown, path: readonly string[] = []): Generator<{ path: string[]; text: string }> {
  if (typeof value === "string") yield { path: [...path], text: value };
  else if (Array.isArray(value)) for (const [i, part] of value.entries()) yield* textsIn(part, [...path, String(i)]);
  else if (typeof value === "object" && value !== null)
    for (const [key, part] of Object.entries(value)) yield* textsIn(part, [...path, key]);
}
