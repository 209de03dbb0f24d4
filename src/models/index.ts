/** Models: the gateway that meters every call, routing, the ledger, and the scripted model for the demo and for tests. */
export * from "./catalog/index.ts";
export * from "./gateway/index.ts";
export * from "./ledger/index.ts";
export * from "./routing/index.ts";
export {
  Script as ModelScript,
  spawnScriptedModel,
  startScriptedModel,
  type ScriptedAnswer,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedProcess,
  type ScriptedRequest,
  type ScriptFunction,
  type ServedCall,
} from "./scripted/index.ts";
