/**
 * The scripted model: an OpenAI-compatible endpoint whose answers come from a script, for the demo and for tests. It asks no model, says so
 * in everything it sends, and counts exactly what it served.
 */
export { Script, ScriptedAnswer, type ScriptedRequest, type ScriptFunction } from "./script.ts";
export { startScriptedModel, type ScriptedModel, type ScriptedModelOptions, type ServedCall } from "./server.ts";
export { spawnScriptedModel, type ScriptedProcess } from "./spawn.ts";
