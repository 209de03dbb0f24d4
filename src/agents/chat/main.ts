/** The chat agent's process with tools alone. Stepfall's own entry for models without tool calls (src/setup/text-chat-main.ts) brings the reader of replies. */
import { runChatProcess } from "./process.ts";

// oxlint-disable-next-line node/no-process-env -- the entry of a process is where its environment is read
await runChatProcess({ environment: process.env });
