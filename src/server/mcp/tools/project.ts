import { resolve, sep } from "node:path";
import { z } from "zod";
import { McpCallError } from "../errors.ts";
import type { Call } from "../tool.ts";

export const projectArgument = z.string().min(1).max(4096).optional();

/** The folder that a call names; agents name it from where they stand. */
const folderIn = (given: string | undefined, { project: here }: Pick<Call, "project">): string | undefined =>
  given === undefined || here === undefined ? given : resolve(here, given);

/** The project that a call is about: the one it names, else the one that the server was started in. */
export function projectOf(given: string | undefined, call: Pick<Call, "project">): string {
  const folder = folderIn(given, call) ?? call.project;
  if (folder !== undefined) return folder;
  throw new McpCallError("USAGE", "it is not known which project is meant", "Give `project`: a folder in it.");
}

/** The project in which a named folder lies, of those that have runs; a folder of none stays as it is. */
export async function knownProject(given: string | undefined, call: Pick<Call, "project" | "control">): Promise<string | undefined> {
  const folder = folderIn(given, call);
  if (folder === undefined) return undefined;
  const around = (await call.control.projects()).map(({ path }) => path).filter((path) => `${folder}${sep}`.startsWith(`${path}${sep}`));
  return around.toSorted((a, b) => b.length - a.length)[0] ?? folder;
}
