import type { AgentRow } from "../data/index.ts";
import { CommandLine } from "./parts.tsx";

/** Those that can be given a task. `shell` is always there: it runs commands, and understands none. */
export const workersOf = (agents: readonly AgentRow[]): AgentRow[] =>
  agents.filter(({ executor }) => executor !== "shell" && executor !== "function");

/** There is nobody who could do a task: what to do. `home`: Stepfall's folder, where it is known. */
export function NoAgent({ home }: { home: string | undefined }) {
  return (
    <>
      <p>None was found where this server runs. One of these is enough:</p>
      <ul className="list-disc pl-5">
        <li>
          install a coding agent and log in to it, such as <Code>claude</Code>, <Code>codex</Code>, <Code>opencode</Code> or{" "}
          <Code>gemini</Code>;
        </li>
        <li>
          a key: a line such as <Code>ANTHROPIC_API_KEY=…</Code> or <Code>OPENAI_API_KEY=…</Code> in{" "}
          {home === undefined ? "the file secrets in Stepfall's folder" : <Code>{`${home}/secrets`}</Code>}, which only you may read (
          <Code>chmod 600</Code>);
        </li>
        <li>
          a model on this machine: start <Code>ollama</Code>.
        </li>
      </ul>
      <p className="flex flex-wrap items-center gap-2">
        What is set in a terminal after the server was started, it does not see: end it with Ctrl-C and start it there again. What was
        looked for, and what is missing: <CommandLine command="stepfall doctor" />
      </p>
    </>
  );
}

function Code({ children }: { children: string }) {
  return <code className="font-mono text-xs break-all">{children}</code>;
}
