import type { StepGraph, StepNode } from "./graph-of-steps.ts";

const WIDTH = 80;
const MOST_NEEDS = 8;

/**
 * The graph for a terminal, at most 80 columns where words allow: each step in its layer, with what it is, what it waits for and what decides
 * whether it runs. Steps of nested pipelines stand below theirs, indented.
 */
export function toText(graph: StepGraph): string {
  return [graph.name, ...linesOf(graph, "")].join("\n");
}

function linesOf(graph: StepGraph, indent: string): string[] {
  const widest = Math.min(24, Math.max(...graph.steps.map((step) => step.id.length), 1));
  const digits = String(Math.max(...graph.steps.map((step) => step.layer), 1)).length;
  let layer = 0;
  return graph.steps.flatMap((step) => {
    const number = step.layer === layer ? " ".repeat(digits) : String(step.layer).padStart(digits);
    layer = step.layer;
    const head = `${indent}${number}  ${step.id.padEnd(widest)}  ${step.kind.padEnd(8)}`;
    const details = [needsText(step), ...step.notes].filter((part) => part !== "");
    const inside = step.inside ? linesOf(step.inside, `${indent}${" ".repeat(digits + 4)}`) : [];
    return [...wrap(head, details, indent.length + digits + 2 + widest + 2), ...inside];
  });
}

function needsText(step: StepNode): string {
  if (step.needs.length === 0) return "";
  const shown = step.needs.slice(0, MOST_NEEDS).join(", ");
  const rest = step.needs.length - MOST_NEEDS;
  return `${wordFor(step)} ${shown}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function wordFor(step: StepNode): string {
  switch (step.when) {
    case "succeeded":
      return "after";
    case "failed":
      return "on failure of";
    case "always":
      return "finally, after";
    default:
      step.when satisfies never;
      return "";
  }
}

/** The parts behind the head, as many on a line as fit; a part that is too long for any line is broken between words. */
function wrap(head: string, parts: readonly string[], indent: number): string[] {
  const lines: string[] = [];
  let line = head.trimEnd();
  let isFirst = true;
  for (const [i, part] of parts.entries()) {
    const words = `${part}${i < parts.length - 1 ? ";" : ""}`.split(" ");
    for (const word of words) {
      const joined = isFirst ? `${head} ${word}` : `${line} ${word}`;
      if (joined.length > WIDTH && line.trim() !== "" && !(isFirst && head.length > WIDTH)) {
        lines.push(line);
        line = `${" ".repeat(Math.min(indent, WIDTH / 2))}${word}`;
      } else line = joined;
      isFirst = false;
    }
  }
  return [...lines, line.trimEnd()];
}

/** The graph as a Mermaid flowchart. Nothing of a name or a condition is read as Mermaid or HTML. */
export function toMermaid(graph: StepGraph): string {
  const lines: string[] = ["flowchart TD"];
  let count = 0;
  const draw = (inner: StepGraph, indent: string): void => {
    const ids = new Map(inner.steps.map((step) => [step.id, `s${count++}`]));
    for (const step of inner.steps) {
      const id = ids.get(step.id) ?? "";
      const label = [step.id, step.kind, ...step.notes].map(escaped).join("<br/>");
      if (step.inside) {
        lines.push(`${indent}subgraph ${id}["${label}"]`);
        draw(step.inside, `${indent}  `);
        lines.push(`${indent}end`);
      } else lines.push(`${indent}${id}${shapeOf(step, label)}`);
    }
    for (const step of inner.steps) {
      const arrow = step.when === "succeeded" ? "-->" : step.when === "failed" ? "-. failed .->" : "-. always .->";
      for (const need of step.needs) lines.push(`${indent}${ids.get(need) ?? ""} ${arrow} ${ids.get(step.id) ?? ""}`);
    }
  };
  draw(graph, "  ");
  return `${lines.join("\n")}\n`;
}

function shapeOf(step: StepNode, label: string): string {
  switch (step.kind) {
    case "command":
      return `[["${label}"]]`;
    case "approve":
      return `{{"${label}"}}`;
    case "ask":
      return `{"${label}"}`;
    default:
      return `["${label}"]`;
  }
}

/** Mermaid's own entities: `#35;` is `#`. */
const escaped = (text: string): string => text.replace(/[^\p{L}\p{N} .,:_/=-]/gu, (c) => `#${c.codePointAt(0) ?? 63};`);
