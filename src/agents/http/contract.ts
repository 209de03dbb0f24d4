import { z } from "zod";
import { FailureKind, Finding } from "../../domain/index.ts";
import { AnswerFile } from "../function/answer-files.ts";

/** Of an agent elsewhere: what the plain contract (openapi.json) and, within A2A's parts, the A2A client send and accept. */

/** What a remote agent sees of the workspace, which it cannot reach. */
export const Bundle = z.object({
  /** Paths of all files, sorted; `.git` and `node_modules` are left out. */
  list: z.array(z.string()),
  /** The list is not whole: there are more files than are listed. */
  truncated: z.boolean(),
  /** Contents of text files the step says it touches (`touches`). Without that nothing but the list is sent. */
  contents: z.array(z.object({ path: z.string(), content: z.string() })),
  /** Files that it touches whose content was not sent, and why. */
  omitted: z.array(z.object({ path: z.string(), because: z.enum(["binary", "too large", "limit reached"]) })),
});
export type Bundle = z.infer<typeof Bundle>;

const count = z.number().int().nonnegative();
/** Tokens an agent says it used. `inputTokens` includes cached ones. */
export const RemoteUsage = z.object({ calls: count, inputTokens: count, cachedInputTokens: count, outputTokens: count });
export type RemoteUsage = z.infer<typeof RemoteUsage>;

/** Body of the plain contract's POST. */
export const RemoteRequest = z.object({
  version: z.literal(1),
  /** Unique for ever: the same attempt is never sent twice. */
  attempt: z.string(),
  step: z.string(),
  prompt: z.string(),
  /** Why the attempt before was refused. */
  feedback: z.array(Finding),
  files: Bundle,
  deadlineMs: z.number().int().positive(),
});
export type RemoteRequest = z.infer<typeof RemoteRequest>;

const RemoteDone = z.object({ summary: z.string(), files: z.array(AnswerFile).default([]), usage: RemoteUsage.optional() });
/** The agent could not do it. `because` is the agent's own word; absent: `agent`. */
const RemoteFailed = z.object({
  failed: z.object({ message: z.string(), because: FailureKind.exclude(["timeout", "internal"]).optional() }),
  usage: RemoteUsage.optional(),
});
/** Answer of the plain contract: a JSON body, or the data of an SSE stream's `done` event. */
export const RemoteAnswer = z.union([RemoteFailed, RemoteDone]);

/** How it went, whatever the protocol. */
export type RemoteOutcome =
  | { kind: "done"; summary: string; files: readonly AnswerFile[]; usage?: RemoteUsage | undefined }
  | { kind: "failed"; because: FailureKind; message: string; usage?: RemoteUsage | undefined };

/** Metadata of an A2A artifact: `RemoteUsage`. */
export const USAGE_METADATA = "stepfall.usage";
/** Metadata of an A2A status message: a `FailureKind`. */
export const FAILURE_METADATA = "stepfall.failure";
