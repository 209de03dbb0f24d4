import { afterEach, beforeEach, expect } from "vitest";
import type { Clock } from "../../domain/index.ts";
import type { NewEvent, QueueEntry, Reservation, ReserveRequest, Store, StoreErrorCode } from "../index.ts";

/** How the conformance tests come by stores. A location opened twice stands for two processes that share it. */
export interface StoreHarness {
  newLocation(): Promise<string>;
  open(location: string, clock: Clock): Promise<Store>;
  remove(location: string): Promise<void>;
}

export interface Fixture {
  readonly store: Store;
  readonly location: string;
  /** What the stores' clock shows. */
  now: number;
  /** One more store at the same location. */
  another(): Promise<Store>;
}

/** A fresh location with one open store before each test; everything opened is closed and removed after it. */
export function fixture(harness: StoreHarness): Fixture {
  let location = "";
  let opened: Store[] = [];
  const shared: Fixture = {
    now: 1_000,
    get location() {
      return location;
    },
    get store() {
      return opened[0]!;
    },
    async another() {
      const store = await harness.open(location, { now: () => shared.now });
      opened.push(store);
      return store;
    },
  };
  beforeEach(async () => {
    shared.now = 1_000;
    location = await harness.newLocation();
    await shared.another();
  });
  afterEach(async () => {
    await Promise.all(opened.map((store) => store.close()));
    opened = [];
    await harness.remove(location);
  });
  return shared;
}

/** An event that can be told apart by its step. */
export const completed = (step: string): NewEvent => ({
  event: { type: "StepCompleted", data: { step, attempt: `r/${step}#1` } },
  at: 1_000,
  actor: "engine",
});

export const steps = (count: number, from = 1): NewEvent[] => Array.from({ length: count }, (_, i) => completed(`s${from + i}`));

export const entry = (id: string, more: Partial<QueueEntry> = {}): QueueEntry => ({
  id,
  runId: id.split("/")[0]!,
  agents: ["a"],
  priority: 0,
  rank: 0,
  enqueuedAt: 100,
  ...more,
});

/** A request of agent `a` (account `x`) for one entry at 1000, leased until 2000. */
export const asking = (more: Partial<ReserveRequest> = {}): ReserveRequest => ({
  node: "node-1",
  agents: [{ id: "a", account: "x" }],
  accountSlots: {},
  limit: 1,
  now: 1_000,
  leaseMs: 1_000,
  ...more,
});

export const idsOf = (reservations: readonly Reservation[]): string[] => reservations.map(({ entry: { id } }) => id);

export const refusal = (code: StoreErrorCode) => expect.objectContaining({ name: "StoreError", code });
