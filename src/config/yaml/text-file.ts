import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { Problem, ReadingCode } from "./problem.ts";

export type TextFile = { ok: true; text: string; mode: number } | { ok: false; problem: Problem<ReadingCode> };

/** Reads a UTF-8 file of at most `maxBytes`. Missing files, folders, binary files are answers, not exceptions. */
export function readTextFile(path: string, maxBytes: number): TextFile {
  const no = (code: ReadingCode, message: string, hint: string): TextFile => ({
    ok: false,
    problem: { code, file: path, line: 0, col: 0, message, hint },
  });
  let fd: number | undefined;
  try {
    // Not blocking: opening a FIFO must not wait for somebody who writes to it.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return no("FILE_IS_FOLDER", "This is a folder, not a file", "Name the YAML file inside it");
    if (!stat.isFile()) return no("FILE_UNREADABLE", "This is not a regular file", "Name a YAML file");
    if (stat.size > maxBytes) {
      return no("FILE_TOO_LARGE", `The file has ${stat.size} bytes; at most ${maxBytes} are read`, "Make it smaller or split it");
    }
    const bytes = readAtMost(fd, maxBytes + 1);
    if (bytes.length > maxBytes) return no("FILE_TOO_LARGE", `The file has more than ${maxBytes} bytes`, "Make it smaller or split it");
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(assertText(bytes)), mode: stat.mode };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR")
      return no("FILE_MISSING", "There is no such file", "Check the path and the folder you are in");
    if (code === "EISDIR") return no("FILE_IS_FOLDER", "This is a folder, not a file", "Name the YAML file inside it");
    if (cause instanceof NotText || code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
      return no("FILE_BINARY", "The file is not UTF-8 text", "Name a YAML file, saved as UTF-8");
    }
    if (code === "ERR_INVALID_ARG_VALUE") return no("FILE_MISSING", "The path holds a NUL character", "Check the path");
    return no("FILE_UNREADABLE", `The file cannot be read (${code ?? "unknown reason"})`, "Check its permissions");
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

class NotText extends Error {}

function assertText(bytes: Uint8Array): Uint8Array {
  if (bytes.subarray(0, 8192).includes(0)) throw new NotText("NUL byte");
  return bytes;
}

function readAtMost(fd: number, most: number): Uint8Array {
  const buffer = Buffer.alloc(most);
  let length = 0;
  while (length < most) {
    const n = readSync(fd, buffer, length, most - length, null);
    if (n === 0) break;
    length += n;
  }
  return buffer.subarray(0, length);
}
