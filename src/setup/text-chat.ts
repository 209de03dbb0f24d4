import { fileURLToPath } from "node:url";

/** The program of chat agents without tools, beside this file: the source, or the bundler's entry in dist. */
export const textChatMain = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./text-chat-main.ts" : "./text-chat-main.js", import.meta.url),
);
