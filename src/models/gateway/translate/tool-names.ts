import { createHash } from "node:crypto";
import type { Tool } from "./question.ts";

/** What every format takes for the name of a tool. */
const common = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

const fitted = (text: string, pattern: RegExp, first: string): string =>
  pattern.test(text) ? text : `${first}${text.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 50)}_${hash(text)}`;

/** A tool's name as an upstream may be told it: the same for the same name, whenever it is asked. */
export const toolName = (name: string): string => fitted(name, common, /^[A-Za-z_]/.test(name) ? "" : "t_");

/** OpenAI takes 64 characters for the id of a tool call, Anthropic letters, digits, `_` and `-` only. */
export const callId = (id: string): string => fitted(id, /^[A-Za-z0-9_-]{1,64}$/, "");

/** The way back from an upstream's names to the agent's. */
export function toolsByName(tools: readonly Tool[]): (name: string) => { name: string; namespace?: string | undefined; isCustom: boolean } {
  const known = new Map(tools.map((tool) => [toolName(tool.name), tool]));
  return (name) => {
    const tool = known.get(name);
    return { name: tool?.group?.name ?? tool?.name ?? name, namespace: tool?.group?.namespace, isCustom: tool?.isCustom ?? false };
  };
}
