import type { ChatProcessOptions } from "./process.ts";

/** The chat agent's process, for an entry of its own. Loaded when it is called: who only starts agents has no use for it. */
export const startChatProcess = async (options: ChatProcessOptions): Promise<void> =>
  (await import("./process.ts")).runChatProcess(options);
