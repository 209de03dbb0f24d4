/** Who there is to do the work, and who holds which part of it. */
export { Registry, RegistryError, type RegisteredAgent } from "./registry.ts";
export { LeaseKeeper } from "./keep-leases.ts";
export { formatHolder, parseHolder, type Holder } from "./holder.ts";
export * from "./liveness/index.ts";
export { PlacesError, type PlacesErrorCode } from "./places/errors.ts";
export { AGENT_PLACE, openPlaces, type OwnPlace, type Places, type PlacesOptions } from "./places/places.ts";
export { machineFolder, PortBook, type PortLease } from "./places/port-book.ts";
export { tearDown, type TeardownEnd } from "./places/teardown.ts";
