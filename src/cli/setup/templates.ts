import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RequestError } from "../../setup/failure.ts";
import { packageRoot } from "../package-root.ts";

/** Pipelines that come along, by the name of their folder under examples/: what each is for, whether it has agents do things, and what it is told. */
export const templates = {
  approval: { about: "work that waits for a person's word before it goes on; needs no agent", hasAgents: false, inputs: "" },
  "scout-plan-build": {
    about: "a scout looks, a planner divides the goal, builders do the parts side by side, a check looks at the whole",
    hasAgents: true,
    inputs: ' --with goal="..."',
  },
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
