import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** Stepfall's own package. From source this file lies in src/setup; bundled it lies in dist. */
const packageRoot = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../" : "../", import.meta.url));

/** Where Stepfall and the Node that runs it are installed: agents of its own are started from there. */
export const programFolders = (): string[] => [packageRoot, dirname(process.execPath)];
