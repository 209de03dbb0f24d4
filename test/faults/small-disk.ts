import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const mount = (...args: string[]): boolean => spawnSync("mount", args, { stdio: "ignore" }).status === 0;
const unmount = (folder: string): boolean => spawnSync("umount", ["--lazy", folder], { stdio: "ignore" }).status === 0;

/** Why a test cannot have a disk of its own here; `undefined` when it can. */
export function whyNoDisk(): string | undefined {
  if (process.platform !== "linux") return "there is no tmpfs here";
  if (process.getuid?.() !== 0) return "only root may mount";
  const folder = "/tmp/stepfall-can-mount";
  mkdirSync(folder, { recursive: true });
  const can = mount("-t", "tmpfs", "-o", "size=1m", "none", folder);
  if (can) unmount(folder);
  rmSync(folder, { recursive: true, force: true });
  return can ? undefined : "mounting is not allowed here";
}

/** A disk of a few megabytes of its own at a folder, until it is disposed of. */
export class SmallDisk implements Disposable {
  readonly #at: string;

  constructor(at: string, megabytes: number) {
    this.#at = at;
    mkdirSync(at, { recursive: true });
    if (!mount("-t", "tmpfs", "-o", `size=${megabytes}m,mode=700`, "none", at)) throw new Error(`no disk could be mounted at ${at}`);
  }

  /** Takes all the room there is but for `leave` bytes. */
  fill(leave = 0): void {
    this.free();
    const file = openSync(join(this.#at, "filler"), "w");
    for (let size = 1 << 20; size >= 512;)
      try {
        if (writeSync(file, Buffer.alloc(size, 1)) < size) size >>= 1;
      } catch {
        size >>= 1;
      }
    closeSync(file);
    if (leave > 0) spawnSync("truncate", [`--size=-${leave}`, join(this.#at, "filler")]);
  }

  /** Gives it back. */
  free(): void {
    rmSync(join(this.#at, "filler"), { force: true });
  }

  readOnly(on: boolean): void {
    if (!mount("-o", `remount,${on ? "ro" : "rw"}`, this.#at)) throw new Error(`${this.#at} could not be remounted`);
  }

  [Symbol.dispose](): void {
    unmount(this.#at);
  }
}
