/** What an agent is told. Planning itself (goal to steps, questions, context selection) is not built yet: docs/status.md. */
export { buildPrompt } from "./context/prompt.ts";
