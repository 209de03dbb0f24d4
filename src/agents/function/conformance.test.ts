import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AgentStep } from "../../domain/index.ts";
import { executorConformance, stepBase, type Behaviour } from "../conformance.ts";
import { createFunctionExecutor } from "./executor.ts";

const inProcess = "it is no process of its own: what ends it or floods it would be the engine's end";

executorConformance(
  "the function executor",
  async () => {
    let behaviour: Behaviour = { does: "lie" };
    const step: AgentStep = { ...stepBase, kind: "agent", prompt: "add sum", agent: { capability: [] } };
    const executor = createFunctionExecutor(
      async (_, { workspace, signal, progress }) => {
        switch (behaviour.does) {
          case "write": {
            const path = join(workspace?.tree ?? "", behaviour.path);
            mkdirSync(dirname(path), { recursive: true });
            writeFileSync(path, behaviour.content);
            return "written";
          }
          case "fail":
            throw new Error(behaviour.reason);
          case "hang": {
            // A function that heeds its signal ends what it started, and waits until it is gone.
            const child = spawn("sleep", [behaviour.marker]);
            signal.addEventListener("abort", () => child.kill("SIGKILL"));
            await once(child, "exit");
            return "never";
          }
          case "print":
            progress(behaviour.text);
            return "printed";
          default:
            return "all done";
        }
      },
      { mask: (text) => text.replaceAll("sk-conformance-1234567890", "***") },
    );
    return {
      executor,
      reportsTokens: false,
      arrange: async (next) => {
        behaviour = next;
        return { step, prompt: "add sum" };
      },
      cleanUp: async () => {},
    };
  },
  {
    cannot: {
      "ignore-signals": inProcess,
      "leave-children": inProcess,
      crash: inProcess,
      flood: inProcess,
      ask: "it is the user's own program",
      resume: "it keeps no session",
    },
  },
);
