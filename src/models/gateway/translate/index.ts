/** Wire formats into each other: what an agent asks goes to an upstream that speaks another, and the answer comes back in the agent's. */
export type { AgentEvent, Answers, Seals, StreamTranslation, Translated, TranslateOptions, Translation } from "./contract.ts";
export { translation } from "./translation.ts";
export { formatFor, newSeals, textOfEvents, translatedHeader, translatedWay, type TranslatedCall, type Way } from "./way.ts";
export { withoutForeignThinking } from "./foreign.ts";
