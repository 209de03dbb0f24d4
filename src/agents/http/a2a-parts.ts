import { isUtf8 } from "node:buffer";
import type { Artifact, Part } from "@a2a-js/sdk";
import { z } from "zod";
import type { AnswerFile } from "../function/answer-files.ts";
import { RemoteUsage, USAGE_METADATA, type RemoteRequest } from "./contract.ts";

/** How an attempt and its answer are carried by A2A's parts: a part with a filename is a file, one without is said. */

type Content = NonNullable<Part["content"]>;

const part = (content: Content, filename = "", mediaType = "text/plain"): Part => ({ content, filename, mediaType, metadata: undefined });

export const textPart = (value: string): Part => part({ $case: "text", value });

export const Context = z.object({
  stepfall: z.object({
    version: z.literal(1),
    list: z.array(z.string()),
    truncated: z.boolean(),
    omitted: z.array(z.object({ path: z.string(), because: z.string() })),
  }),
});

/** The prompt, what else there is to know as data, and the files that are sent along. */
export function requestParts({ prompt, attempt, step, feedback, deadlineMs, files }: RemoteRequest): Part[] {
  const { contents, ...rest } = files;
  return [
    textPart(prompt),
    part({ $case: "data", value: { stepfall: { version: 1, attempt, step, feedback, deadlineMs, ...rest } } }, "", "application/json"),
    ...contents.map(({ path, content }) => part({ $case: "text", value: content }, path)),
  ];
}

/** The SDK takes no event of more than 4 MiB: a long file goes in several. */
const CHUNK_BYTES = 1024 * 1024;

/** Parts of one file. Its chunks belong to one artifact, in order. */
export function fileParts(path: string, bytes: Buffer): Part[] {
  if (bytes.length <= CHUNK_BYTES && isUtf8(bytes)) return [part({ $case: "text", value: bytes.toString("utf8") }, path)];
  const chunks = Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, index) =>
    bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
  );
  return chunks.map((chunk) => part({ $case: "raw", value: chunk }, path, "application/octet-stream"));
}

export const deletionPart = (path: string): Part => part({ $case: "data", value: { delete: true } }, path, "application/json");

const Deletion = z.object({ delete: z.literal(true) });

export type ReadParts = { ok: true; text: string; files: AnswerFile[]; data: unknown[] } | { ok: false; message: string };

export function readParts(parts: readonly Part[]): ReadParts {
  const said: string[] = [];
  const data: unknown[] = [];
  const files = new Map<string, { bytes: Buffer[] } | "deleted">();
  for (const { content, filename } of parts) {
    switch (content?.$case) {
      case undefined:
        break;
      case "text":
      case "raw": {
        const bytes = Buffer.from(content.value as string);
        if (filename === "" && content.$case === "text") said.push(content.value);
        else if (filename === "") return { ok: false, message: "it handed over a file without a name" };
        else add(files, filename, bytes);
        break;
      }
      case "data":
        if (filename !== "" && Deletion.safeParse(content.value).success) files.set(filename, "deleted");
        else if (filename === "") data.push(content.value);
        else add(files, filename, Buffer.from(`${JSON.stringify(content.value, null, 2)}\n`));
        break;
      case "url":
        return { ok: false, message: `it handed over ${filename || "a file"} by URL, which is not supported yet` };
      default:
        content satisfies never;
    }
  }
  const answer = [...files].map(([path, file]): AnswerFile => {
    if (file === "deleted") return { path, delete: true };
    return { path, content: Buffer.concat(file.bytes).toString("base64"), encoding: "base64" };
  });
  return { ok: true, text: said.join("\n"), files: answer, data };
}

function add(files: Map<string, { bytes: Buffer[] } | "deleted">, path: string, bytes: Buffer): void {
  const file = files.get(path);
  if (file === undefined || file === "deleted") files.set(path, { bytes: [bytes] });
  else file.bytes.push(bytes);
}

/** The usage that artifacts tell, added up. */
export function usageOf(artifacts: readonly Artifact[]): RemoteUsage | undefined {
  const told = artifacts.flatMap(({ metadata }) => RemoteUsage.safeParse(metadata?.[USAGE_METADATA]).data ?? []);
  if (told.length === 0) return undefined;
  return told.reduce((sum, usage) => ({
    calls: sum.calls + usage.calls,
    inputTokens: sum.inputTokens + usage.inputTokens,
    cachedInputTokens: sum.cachedInputTokens + usage.cachedInputTokens,
    outputTokens: sum.outputTokens + usage.outputTokens,
  }));
}
