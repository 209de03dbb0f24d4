import type { Gate } from "../../domain/index.ts";

/** What a gate will look at, in sentences for whoever does the work. */
export function describeGate(gate: Gate): string[] {
  switch (gate.kind) {
    case "command":
      return [`\`${gate.command}\` exits 0.`];
    case "files":
      return [`${gate.files.join(", ")} exists.`];
    case "diff":
      return [
        ...(gate.mostFiles === undefined ? [] : [`At most ${gate.mostFiles} files change.`]),
        ...(gate.mostLines === undefined ? [] : [`At most ${gate.mostLines} lines change, added and removed together.`]),
        ...(gate.allowed ? [`Nothing changes but ${gate.allowed.join(", ")}.`] : []),
        ...(gate.forbidden ? [`${gate.forbidden.join(", ")} does not change.`] : []),
      ];
    case "coverage":
      return ["Each declared output is written by you and holds no placeholder, and nothing else changes."];
    case "schema": {
      const schema = "file" in gate.schema ? gate.schema.file : `this JSON Schema: ${JSON.stringify(gate.schema.inline)}`;
      return [`${gate.files.join(", ")} exists and satisfies ${schema}.`];
    }
    case "regression":
      return [`Tests that \`${gate.command}\` runs and that pass now still pass, under the same names.`];
    case "syntax":
      return ["What you change can still be parsed."];
    case "judge":
      return gate.criteria.map(({ text }) => text);
    default:
      return gate satisfies never;
  }
}
