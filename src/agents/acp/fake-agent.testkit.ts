import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** What the scripted agent of `test/agents/fake-acp-agent.mjs` does on a prompt. It stands in for agents that misbehave, not for a model. */
export type Act =
  | { do: "say"; text: string }
  | { do: "update"; update: Record<string, unknown> }
  | { do: "write"; path: string; content: string }
  | {
      do: "ask";
      toolCall: Record<string, unknown>;
      options: readonly { optionId: string; name: string; kind: string }[];
      thenWrite?: { path: string; content: string };
    }
  | { do: "raw"; text: string }
  | { do: "big"; lines: number }
  | { do: "stderr"; text: string }
  /** Appends the prompt it is on to a file, a line of JSON. */
  | { do: "note-prompt"; file: string }
  | { do: "crash" }
  | { do: "exit"; code: number }
  | { do: "flood" }
  | { do: "child"; command: string; detached?: boolean }
  | { do: "sleep"; ms: number }
  /** Waits until the file is there. */
  | { do: "until-file"; file: string }
  | { do: "until-cancelled" }
  | { do: "stubborn" };

export interface FakeScript {
  initialize?: Record<string, unknown>;
  /** Added to the answer of session/new. */
  session?: Record<string, unknown>;
  newError?: Record<string, unknown>;
  prompt: readonly Act[];
  /** On further prompts; without it the same again. */
  again?: readonly Act[];
  /** Added to the answer of the prompt. */
  result?: Record<string, unknown>;
  promptError?: Record<string, unknown>;
  /** After the answer. */
  after?: readonly Act[];
}

const program = fileURLToPath(new URL("../../../test/agents/fake-acp-agent.mjs", import.meta.url));

/** Writes the script and answers the command that starts the agent on it. */
export function fakeAgent(scriptFile: string, script: FakeScript): [string, ...string[]] {
  mkdirSync(dirname(scriptFile), { recursive: true });
  writeFileSync(scriptFile, JSON.stringify(script));
  return [process.execPath, program, scriptFile];
}
