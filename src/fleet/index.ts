/** Who there is to do the work, and who holds which part of it. */
export { Registry, RegistryError, type RegisteredAgent } from "./registry.ts";
export { LeaseKeeper } from "./keep-leases.ts";
export { formatHolder, parseHolder, type Holder } from "./holder.ts";
