import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Dirent,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { Refused } from "./refused.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** As the kernel does. */
const MOST_LINKS = 40;

export interface TreeOptions {
  /** Reach folders through /proc/self/fd (Linux) instead of by name. */
  byDescriptor?: boolean;
  /** Told each folder that was opened on the way. Lets a test change the tree at the worst moment. */
  onEnter?: (name: string) => void;
}

/** An open folder within the tree. `path` names it for the file system, `name` for people. */
interface Folder {
  fd: number;
  path: string;
  name: string;
}

/** Where a path leads: the folder its last part is in, and what stands there (never a symlink). */
interface Place {
  folder: Folder;
  last: string;
  /** For the file system. */
  path: string;
  /** From the top of the tree, symlinks resolved. */
  name: string;
  stat: Stats | undefined;
}

/**
 * The files of a workspace, and nothing else. A path is walked part by part, each folder opened without following
 * symlinks and the next part looked up in the opened folder; symlinks are resolved here, within the tree. On Linux the
 * lookup goes through the descriptor (/proc/self/fd), so a folder that is swapped for a symlink meanwhile leads nowhere
 * else. On macOS it goes by name, and what was opened is compared with what the name leads to afterwards.
 */
export class Tree {
  readonly root: string;
  readonly #byDescriptor: boolean;
  readonly #onEnter: (name: string) => void;
  readonly #rootNames: readonly string[];
  constructor(root: string, options: TreeOptions = {}) {
    this.root = realpathSync(root);
    this.#rootNames = [this.root, root.replace(/\/+$/, "")];
    this.#byDescriptor = options.byDescriptor ?? process.platform === "linux";
    this.#onEnter = options.onEnter ?? (() => {});
  }

  /** A regular file's bytes. */
  read(path: string, maxBytes: number): Buffer {
    return this.#at(path, {}, (place) => {
      const fd = this.#openFile(place);
      try {
        const { size } = fstatSync(fd);
        if (size > maxBytes) throw new Refused(`${place.name} has ${size} bytes; at most ${maxBytes} are read`);
        return readFileSync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  /**
   * Writes a whole file, making the folders above it. By rename: a reader never sees half of it, and a file that is
   * hard-linked to a shared cache (as package managers do) is replaced, not changed for everybody. Answers whether it is new.
   */
  write(path: string, content: string | Uint8Array): { isNew: boolean; name: string } {
    return this.#at(path, { forWriting: true }, (place) => {
      if (place.stat && !place.stat.isFile()) throw new Refused(`${place.name} is not a regular file`);
      const temporary = this.#path(place.folder, `.stepfall-${randomBytes(6).toString("hex")}.tmp`);
      const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
      try {
        this.#verify(fd, temporary);
        writeFileSync(fd, content);
        if (place.stat) fchmodSync(fd, place.stat.mode & 0o777);
        renameSync(temporary, place.path);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      } finally {
        closeSync(fd);
      }
      return { isNew: place.stat === undefined, name: place.name };
    });
  }

  /** Removes a regular file. */
  remove(path: string): void {
    this.#at(path, { forWriting: true }, (place) => {
      if (!place.stat) throw new Refused(`${place.name} does not exist`);
      if (!place.stat.isFile()) throw new Refused(`${place.name} is not a regular file`);
      rmSync(place.path);
    });
  }

  /** Entries of a folder, sorted by name. */
  entries(path: string): Dirent[] {
    return this.folder(path, (at) => readdirSync(at, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1)));
  }

  /** Calls `use` with a name of the folder that is valid while it runs. */
  folder<T>(path: string, use: (at: string, name: string) => T): T {
    return this.#at(path, {}, (place) => {
      if (!place.stat?.isDirectory()) throw new Refused(`${place.name || "."} is ${place.stat ? "not a folder" : "not there"}`);
      if (place.last === "") return use(place.folder.path, place.name || ".");
      const folder = this.#enter(place.folder, place.last);
      try {
        return use(folder.path, place.name);
      } finally {
        closeSync(folder.fd);
      }
    });
  }

  kind(path: string): "file" | "folder" | "other" | "absent" {
    return this.#at(path, {}, ({ stat }) => (!stat ? "absent" : stat.isFile() ? "file" : stat.isDirectory() ? "folder" : "other"));
  }

  #openFile(place: Place): number {
    if (!place.stat) throw new Refused(`${place.name} does not exist`);
    // Looked at before opening: opening a device or a named pipe can already do something.
    if (!place.stat.isFile()) throw new Refused(`${place.name || "."} is ${place.stat.isDirectory() ? "a folder" : "not a regular file"}`);
    const fd = open(place.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, place.name);
    try {
      this.#verify(fd, place.path);
      if (!fstatSync(fd).isFile()) throw new Refused(`${place.name} is not a regular file`);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Parts of a path that was given by the model. */
  #parts(path: string): string[] {
    if (path.includes("\0")) throw new Refused("the path holds a NUL byte");
    if (path.startsWith("~")) throw new Refused(`${path} is outside the workspace: ~ is not expanded`);
    const inside = path.startsWith("/") ? this.#inside(path) : path;
    if (inside === undefined) throw new Refused(`${path} is outside the workspace; give a path relative to its top`);
    const parts = inside.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) throw new Refused(`${path} goes up with "..": give a path relative to the top of the workspace`);
    return parts;
  }

  #inside(absolute: string): string | undefined {
    const top = this.#rootNames.find((name) => absolute === name || absolute.startsWith(`${name}/`));
    return top === undefined ? undefined : absolute.slice(top.length + 1);
  }

  #path = (folder: Folder, part: string): string => `${folder.path}/${part}`;

  #at<T>(path: string, options: { forWriting?: boolean }, use: (place: Place) => T): T {
    const todo = this.#parts(path);
    const rootFd = openSync(this.root, O_RDONLY | O_DIRECTORY);
    const stack: Folder[] = [{ fd: rootFd, path: this.#byDescriptor ? `/proc/self/fd/${rootFd}` : this.root, name: "" }];
    try {
      return use(this.#walk(path, todo, stack, options.forWriting ?? false));
    } finally {
      for (const { fd } of stack) closeSync(fd);
    }
  }

  #walk(path: string, todo: string[], stack: Folder[], forWriting: boolean): Place {
    const leave = (count: number) => {
      while (stack.length > count) closeSync((stack.pop() as Folder).fd);
    };
    for (let links = 0; ;) {
      const folder = stack.at(-1) as Folder;
      const part = todo.shift();
      if (part === undefined) {
        // The tree's top, or a symlink that ended in a folder already entered.
        if (forWriting) throw new Refused(`${path} is a folder`);
        return { folder, last: "", path: folder.path, name: folder.name, stat: fstatSync(folder.fd) };
      }
      if (part === "..") {
        if (stack.length === 1) throw new Refused(`${path} leads out of the workspace through a symlink`);
        leave(stack.length - 1);
        continue;
      }
      const name = folder.name === "" ? part : `${folder.name}/${part}`;
      if (forWriting && isGit(part)) throw new Refused(`${path} is under .git, which is not written to`);
      const at = this.#path(folder, part);
      const stat = lstatSync(at, { throwIfNoEntry: false });
      if (stat?.isSymbolicLink()) {
        if (++links > MOST_LINKS) throw new Refused(`${path} goes through too many symlinks`);
        const target = readlinkSync(at);
        const inside = target.startsWith("/") ? this.#inside(target) : target;
        if (inside === undefined) throw new Refused(`${path} leads out of the workspace through the symlink ${name}`);
        if (target.startsWith("/")) leave(1);
        todo.unshift(...inside.split("/").filter((step) => step !== "" && step !== "."));
        continue;
      }
      if (todo.length === 0) return { folder, last: part, path: at, name, stat };
      if (!stat && forWriting) mkdirSync(at);
      else if (!stat) throw new Refused(`${path} does not exist: there is no ${name}`);
      stack.push(this.#enter(folder, part));
      this.#onEnter(name);
    }
  }

  #enter(folder: Folder, part: string): Folder {
    const path = this.#path(folder, part);
    const name = folder.name === "" ? part : `${folder.name}/${part}`;
    const fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, name);
    try {
      this.#verify(fd, path);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return { fd, path: this.#byDescriptor ? `/proc/self/fd/${fd}` : path, name };
  }

  /** Without descriptors to go by: what was opened must be what the name leads to, inside, without any symlink. */
  #verify(fd: number, path: string): void {
    if (this.#byDescriptor) return;
    const opened = fstatSync(fd);
    const named = lstatSync(path);
    if (realpathSync(path) !== join(path) || opened.ino !== named.ino || opened.dev !== named.dev) {
      throw new Refused(`${path} was changed while it was opened`);
    }
  }
}

/** The last check of a race: a symlink, or a file where a folder was. */
function open(path: string, flags: number, name: string): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ELOOP") throw new Refused(`${name} became a symlink while it was opened`);
    if (code === "ENOTDIR") throw new Refused(`${name} is not a folder`);
    throw error;
  }
}

/** Also as a file system that ignores case and invisible characters reads it (macOS). */
export const isGit = (part: string): boolean =>
  part
    .normalize("NFKC")
    .replaceAll(/[\u200B-\u200F\u202A-\u202E\u206A-\u206F\uFEFF]/g, "")
    .toLowerCase() === ".git";
