import { first } from "./0001-first.ts";

/** In order; the schema version is how many have been applied. A published one is never edited, only followed. */
export const migrations: readonly string[] = [first];
