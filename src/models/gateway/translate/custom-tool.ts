import { objectOf, textIn, type Json } from "../wire/wire.ts";
import type { Tool } from "./question.ts";

/** A tool that takes a text is asked for with one field; what the text must look like can only be said in words. */
export function customTool(tool: Json): Tool {
  const format = objectOf(tool.format);
  const grammar = objectOf(format.grammar ?? format);
  const definition = textIn(grammar.definition);
  const rule = definition === "" ? "" : ` It must follow this ${textIn(grammar.syntax)} grammar:\n${definition}`;
  return {
    name: textIn(tool.name),
    description: textIn(tool.description) || undefined,
    schema: {
      type: "object",
      properties: { input: { type: "string", description: `What the tool is given.${rule}` } },
      required: ["input"],
      additionalProperties: false,
    },
    isCustom: true,
  };
}

/** The text out of a call's arguments. */
export function customInput(args: string): string {
  try {
    const { input } = objectOf(JSON.parse(args));
    if (typeof input === "string") return input;
  } catch {
    // The model wrote the text itself.
  }
  return args;
}
