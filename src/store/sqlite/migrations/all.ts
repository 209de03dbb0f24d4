import { first } from "./0001-first.ts";
import { machineSlots } from "./0002-machine-slots.ts";
import { inbox } from "./0003-inbox.ts";
import { credentialsOfCalls } from "./0004-credentials-of-calls.ts";
import { outcomes } from "./0005-outcomes.ts";
import { waitsOfRuns } from "./0006-waits-of-runs.ts";

/** In order; the schema version is how many have been applied. A published one is never edited, only followed. */
export const migrations: readonly string[] = [first, machineSlots, inbox, credentialsOfCalls, outcomes, waitsOfRuns];
