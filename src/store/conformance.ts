import { describe } from "vitest";
import { followConformance } from "./conformance/follow.ts";
import { journalConformance } from "./conformance/journal.ts";
import { leaseConformance } from "./conformance/leases.ts";
import { projectionConformance } from "./conformance/projections.ts";
import { invariantConformance } from "./conformance/invariants.ts";
import { machineConformance } from "./conformance/machine.ts";
import { inboxConformance } from "./conformance/inbox.ts";
import { queueConformance } from "./conformance/queue.ts";
import { affinityConformance } from "./conformance/affinity.ts";
import type { StoreHarness } from "./conformance/fixture.ts";

export type { StoreHarness } from "./conformance/fixture.ts";

/** Registers the tests every adapter of the store's port has to pass. */
export function storeConformance(name: string, harness: StoreHarness): void {
  describe(`${name} as a store`, () => {
    journalConformance(harness);
    followConformance(harness);
    queueConformance(harness);
    affinityConformance(harness);
    machineConformance(harness);
    leaseConformance(harness);
    projectionConformance(harness);
    inboxConformance(harness);
    invariantConformance(harness);
  });
}
