import { ResourceTemplate, type McpServer, type ReadResourceResult } from "@modelcontextprotocol/server";
import type { Control, RunReport, RunSummary } from "../../control/index.ts";
import { isTyped } from "../../setup/failure.ts";
import { ANSWER_CHARS, gist } from "./bounded.ts";
import type { McpOptions } from "./contract.ts";
import { McpCallError } from "./errors.ts";
import { INTERNAL } from "./tool-result.ts";
import { findStep, overviewOf, stepsOf } from "./tools/look.ts";
import { diffText } from "./tools/diff.ts";
import { logText } from "./tools/logs.ts";

/** How many of the newest runs are listed. Older ones are read by their id. */
const LISTED = 30;

/** Of so many of them also what was printed, at so many steps each. */
const LISTED_WITH_LOGS = 3;
const LISTED_STEPS = 20;

interface Listed {
  uri: string;
  name: string;
  description: string;
  mimeType: string;
}

/** Runs, what was printed at their steps, and what they changed: for clients that show resources to people or put them into a conversation. */
export function addResources(server: McpServer, { control, onError }: Pick<McpOptions, "control" | "onError">): void {
  const reading = async (uri: URL, read: () => Promise<string>): Promise<ReadResourceResult> => {
    try {
      const mimeType = /^\/[^/]+$/.test(uri.pathname) ? "application/json" : "text/plain";
      return { contents: [{ uri: uri.href, mimeType, text: await read() }] };
    } catch (error) {
      if (!isTyped(error)) onError?.(error as Error);
      // Clients see the message of a resource's error and nothing else of it.
      throw new Error(isTyped(error) ? `${error.code}: ${error.message}. ${error.hint}` : INTERNAL, { cause: error });
    }
  };
  const listed = async (most: number, each: (run: RunSummary) => Promise<Listed[]>) => {
    const runs = await control.runs({ limit: most });
    return { resources: (await Promise.all(runs.slice(0, most).map(each))).flat() };
  };
  server.registerResource(
    "run",
    new ResourceTemplate("stepfall://runs/{id}", {
      list: () =>
        listed(LISTED, ({ runId, pipeline, status }) =>
          Promise.resolve([
            {
              uri: `stepfall://runs/${runId}`,
              name: `Run ${runId}`,
              description: `${gist(pipeline, 100)}: ${status}`,
              mimeType: "application/json",
            },
          ]),
        ),
    }),
    { title: "A run", description: "Where it stands: its steps, what waits for people, its cost; as JSON.", mimeType: "application/json" },
    (uri, { id }) =>
      reading(uri, async () => {
        const report = await runOf(control, id);
        return JSON.stringify({ ...overviewOf(report), ...stepsOf(report) }, undefined, 1);
      }),
  );
  server.registerResource(
    "diff",
    new ResourceTemplate("stepfall://runs/{id}/diff", {
      list: () =>
        listed(LISTED, ({ runId, pipeline }) =>
          Promise.resolve([
            {
              uri: `stepfall://runs/${runId}/diff`,
              name: `What run ${runId} changed`,
              description: gist(pipeline, 100),
              mimeType: "text/plain",
            },
          ]),
        ),
    }),
    {
      title: "What a run changed",
      description: "The unified diff of its branch; the tool get_diff has long ones in parts.",
      mimeType: "text/plain",
    },
    (uri, { id }) => reading(uri, async () => diffText(control, await runOf(control, id), { offset: 0, max_chars: ANSWER_CHARS })),
  );
  server.registerResource(
    "logs",
    new ResourceTemplate("stepfall://runs/{id}/logs/{step}", {
      list: () => listed(LISTED_WITH_LOGS, ({ runId }) => logsOf(control, runId)),
    }),
    {
      title: "What was printed at a step",
      description: "The last lines of its agents and gates; / in a step's path is %2F.",
      mimeType: "text/plain",
    },
    (uri, { id, step }) =>
      reading(uri, async () => {
        const report = await runOf(control, id);
        return logText(control, report.runId, { step: findStep(report, one(step)).id }, ANSWER_CHARS);
      }),
  );
}

/** Those at which something could be printed. */
async function logsOf(control: Control, runId: string): Promise<Listed[]> {
  const { steps } = await control.state(runId);
  const tried = [...steps.values()].filter((s) => s.attempts.length > 0).slice(-LISTED_STEPS);
  return tried.map(({ step: { path }, status }) => ({
    uri: `stepfall://runs/${runId}/logs/${encodeURIComponent(path)}`,
    name: `What was printed at ${path}`,
    description: `In run ${runId}; the step is ${status}`,
    mimeType: "text/plain",
  }));
}

const runOf = (control: Control, id: string | string[] | undefined): Promise<RunReport> => control.run(one(id));

function one(value: string | string[] | undefined): string {
  const text = typeof value === "string" ? value : "";
  try {
    return decodeURIComponent(text);
  } catch {
    throw new McpCallError(
      "RESOURCE_UNKNOWN",
      `${text} is not encoded as a part of a URI is`,
      "Resources are stepfall://runs/ID and below.",
    );
  }
}
