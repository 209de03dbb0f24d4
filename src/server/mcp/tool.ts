import type { InputRequiredResult, ServerContext, ToolAnnotations } from "@modelcontextprotocol/server";
import type { z } from "zod";
import type { Control } from "../../control/index.ts";
import type { Clock } from "../../domain/index.ts";
import type { Caller } from "./caller.ts";
import type { Rights } from "./contract.ts";
import type { Declined } from "./declined.ts";
import type { Starts } from "./starts.ts";

/** One call of a tool. */
export interface Call {
  control: Control;
  clock: Clock;
  caller: Caller;
  /** The project of calls that name none. */
  project: string | undefined;
  declined: Declined;
  starts: Starts;
  ctx: ServerContext;
  /** Tells a client that wants to know it how far the call is. One that hears nothing for long gives the call up. */
  say: (text: string) => void;
  /** Seals what a call that asks its caller's person is to know when it comes back. */
  mint: (state: unknown) => Promise<string>;
}

/** `data`: for programs, and as JSON for those that only read text. `text`: for reading only, such as a diff. */
export type Answer = { data: Readonly<Record<string, unknown>> } | { text: string };

export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  name: string;
  title: string;
  description: string;
  input: Input;
  /** What `data` looks like. */
  output?: z.ZodObject;
  hints: ToolAnnotations;
  /** What the caller must be allowed to. Absent: looking is enough, or the tool decides for itself. */
  needs?: keyof Rights;
  act: (input: z.infer<Input>, call: Call) => Promise<Answer | InputRequiredResult>;
}

/** Lets `act` see the type of its input. */
export const defineTool = <Input extends z.ZodObject>(tool: Tool<Input>): Tool => tool;

/** Looks, and changes nothing. */
export const looks: ToolAnnotations = { readOnlyHint: true, openWorldHint: false };
