import { createHash } from "node:crypto";
import { RequestError } from "../../setup/failure.ts";

/**
 * How far the transcripts of a run were read: of files that are read in part, or that may grow, how far each was; of the many that are done with, that they
 * were last written up to a time.
 */
export interface LogCursor {
  /** By `fileKey`: bytes. */
  offsets: Map<string, number>;
  /** Files without an offset that were last written up to then were read to their end. Epoch ms. */
  doneUpTo: number;
}

const KEY_LENGTH = 10;
const CURSOR = /^[0-9a-z]{1,9}~([\w-]{10}[0-9a-z]{1,9}(\.[\w-]{10}[0-9a-z]{1,9})*)?$/;

/** 60 bits: of thousands of files no two are taken for one. */
export const fileKey = (name: string): string => createHash("sha256").update(name).digest("base64url").slice(0, KEY_LENGTH);

export function readCursor(text: string): LogCursor {
  if (text === "") return { offsets: new Map(), doneUpTo: 0 };
  if (!CURSOR.test(text))
    throw new RequestError("USAGE", "`after` is no cursor of these logs", "Give the `next` of the page before, or leave it out.");
  const [done = "", files = ""] = text.split("~");
  const each = files === "" ? [] : files.split(".");
  const offsets = new Map(each.map((one) => [one.slice(0, KEY_LENGTH), Number.parseInt(one.slice(KEY_LENGTH), 36)]));
  return { offsets, doneUpTo: Number.parseInt(done, 36) };
}

export const writeCursor = ({ offsets, doneUpTo }: LogCursor): string =>
  `${Math.max(0, Math.floor(doneUpTo)).toString(36)}~${[...offsets].map(([key, offset]) => `${key}${offset.toString(36)}`).join(".")}`;
