import type { CallToolResult } from "@modelcontextprotocol/server";
import { z } from "zod";
import { isTyped } from "../../setup/failure.ts";
import { ANSWER_CHARS, cut } from "./bounded.ts";
import type { Answer } from "./tool.ts";

/** As clients get it: programs read the data, those that do not know structured answers the same as JSON. */
export function resultOf(answer: Answer): CallToolResult {
  if ("text" in answer) return { content: [{ type: "text", text: answer.text }] };
  const structuredContent = JSON.parse(JSON.stringify(answer.data)) as Record<string, unknown>;
  return { content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent };
}

/** A tool's error is for the agent that called it: what was wrong, and what to do instead. Never a stack. */
export function failureOf(error: unknown): CallToolResult {
  const text = isTyped(error)
    ? [`${error.code}: ${sentence(error.message)}`, hints[error.code] ?? error.hint, ...placesIn(error)].join("\n")
    : INTERNAL;
  return { content: [{ type: "text", text: cut(text, ANSWER_CHARS) }], isError: true };
}

/** What went wrong is for whoever runs the server: it may name files of theirs. */
export const INTERNAL =
  "INTERNAL: Stepfall failed at this call, and the fault is its own.\nTry once more. If it stays so, tell the person: `stepfall doctor`.";

/** What an agent does next, where the error itself speaks of commands that people type. */
const hints: Readonly<Record<string, string>> = {
  RUN_UNKNOWN: "list_runs tells their ids.",
  RUN_AMBIGUOUS: "Give more of its id: list_runs tells them.",
  ITEM_UNKNOWN: "`inbox` lists what waits.",
  ITEM_CLOSED: "Somebody was faster, or who asked is gone: get_run tells what it came to.",
  PROJECT_UNKNOWN: "Nothing was run there yet. list_runs names the projects that have runs; `do` and start_run begin one in any.",
  ATTEMPT_UNKNOWN: "get_run with `step` tells the attempts of a step.",
};

const MOST_PROBLEMS = 20;

const place = z.object({ file: z.string(), line: z.number(), col: z.number(), code: z.string(), message: z.string(), hint: z.string() });

/** Of files: all that is wrong, each with its place. */
function placesIn(error: unknown): string[] {
  const { problems } = error as { problems?: unknown };
  const known = z.array(place).safeParse(problems).data ?? [];
  return known
    .slice(0, MOST_PROBLEMS)
    .map(({ file, line, col, code, message, hint }) => `${file}:${line}:${col}: ${code}: ${message} ${hint}`);
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
