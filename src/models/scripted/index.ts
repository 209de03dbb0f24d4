/**
 * The scripted model: an endpoint whose answers come from a script, in the wire formats of OpenAI (chat and responses), Anthropic and Gemini,
 * for the demo and for tests. It asks no model, says so in everything it sends, and counts exactly what it served.
 */
export type { DialectName } from "./dialect.ts";
export { Script, ScriptedAnswer, type ScriptedRequest, type ScriptFunction } from "./script.ts";
export type { ServedCall } from "./serve.ts";
export { startScriptedModel, type ScriptedModel, type ScriptedModelOptions } from "./server.ts";
export { spawnScriptedModel, type ScriptedProcess } from "./spawn.ts";
