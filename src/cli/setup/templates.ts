import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RequestError } from "../../setup/failure.ts";
import { packageRoot } from "../package-root.ts";

/** Pipelines that come along, by the name of their folder under examples/, each with what it is for. */
export const templates = {
  "scout-plan-build": "a scout looks, a planner divides the goal, builders do the parts side by side, a check looks at the whole",
} as const;

export type TemplateName = keyof typeof templates;

const isTemplate = (name: string): name is TemplateName => Object.hasOwn(templates, name);

export function templateText(name: TemplateName): string {
  return readFileSync(join(packageRoot, "examples", name, "pipeline.yaml"), "utf8");
}

/** The template of that name; throws USAGE. */
export function requireTemplate(name: string): TemplateName {
  if (isTemplate(name)) return name;
  throw new RequestError("USAGE", `there is no template ${name}`, `The templates are: ${Object.keys(templates).join(", ")}.`);
}
