import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const PRIVATE = 0o077;

/**
 * A random text that is kept in a file of the home which nobody else can read, made when it is not there. One that others could read is made anew:
 * it is a secret no more.
 */
export function secretFile(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return read(path) ?? make(path);
}

function read(path: string): string | undefined {
  try {
    const stat = lstatSync(path);
    if (!stat.isFile() || (stat.mode & PRIVATE) !== 0) return undefined;
    const text = readFileSync(path, "utf8").trim();
    return /^[\w-]{43}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

function make(path: string): string {
  const text = randomBytes(32).toString("base64url");
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, `${text}\n`, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  try {
    // The first of two that make it at once wins.
    linkSync(fresh, path);
    rmSync(fresh);
    return text;
  } catch {
    const there = read(path);
    if (there !== undefined) {
      rmSync(fresh);
      return there;
    }
    renameSync(fresh, path);
    return text;
  }
}
