import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** Stepfall's own package. From source this file lies in src/setup; bundled it lies in dist. */
const packageRoot = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../" : "../", import.meta.url));

/** Where Stepfall, what it is made with, and the Node that runs it are installed: agents of its own are started from there. */
export const programFolders = (): string[] => [installedIn(packageRoot), dirname(process.execPath)];

/** An installed package has what it needs beside it, or elsewhere in the outermost `node_modules`; a checkout below itself. */
export function installedIn(root: string): string {
  const at = root.indexOf("/node_modules/");
  return at < 0 ? root : root.slice(0, at + "/node_modules".length);
}
