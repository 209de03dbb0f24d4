import { defineConfig } from "tsdown";

/** The published package, flat in dist/: a program that is started by file (import.meta.url) must lie beside every chunk that starts it. */
export default defineConfig({
  entry: {
    // What bin/stepfall.js imports.
    cli: "src/cli/main.ts",
    // The library.
    index: "src/index.ts",
    // Started as threads or processes of their own.
    "store-worker": "src/store/sqlite/worker.ts",
    "git-runner": "src/workspace/runner-main.ts",
    "gateway-main": "src/models/gateway/main.ts",
    "scripted-main": "src/models/scripted/main.ts",
    "chat-main": "src/agents/chat/main.ts",
    "text-chat-main": "src/setup/text-chat-main.ts",
    "keeper-main": "src/agents/keeper/main.ts",
  },
  platform: "node",
  target: "node22.18",
  fixedExtension: false,
  // Types for the library only; nobody imports the others.
  dts: { entry: "src/index.ts" },
  failOnWarn: true,
  // How long plugins take on a busy machine is no warning.
  inputOptions: { checks: { pluginTimings: false } },
});
