/** The process of a chat agent without tools: the chat agent's own, and the reader of replies, which is another room's. */
import { startChatProcess } from "../agents/index.ts";
import { readReply } from "./read-reply.ts";

await startChatProcess({
  // oxlint-disable-next-line node/no-process-env -- the entry of a process is where its environment is read
  environment: process.env,
  readReply,
});
