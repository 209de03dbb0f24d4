import { fileURLToPath } from "node:url";

/** Top folder of the installed package: of the clone when run from source, else the one that holds `dist`. */
export const packageRoot = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../../" : "../", import.meta.url));
