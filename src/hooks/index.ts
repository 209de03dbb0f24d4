/** Programs and webhooks of the user's: told of events, at least once each, or asked before something begins. */
export { compileHooks } from "./compile.ts";
export type { Callee, CallingWith, Hook, Letter, Payload, PayloadRun, Seen } from "./contract.ts";
export { Deliverer, OFFSET, type DelivererOptions } from "./deliverer.ts";
export { HooksError, type HooksErrorCode } from "./errors.ts";
export { Letters } from "./letters.ts";
export { createVeto } from "./veto.ts";
export { LetterWriter } from "./write-letters.ts";
