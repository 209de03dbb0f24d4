import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { editText, readRange, writeText } from "./files.ts";
import { listFiles } from "./list.ts";
import { search } from "./search.ts";
import { Tree } from "./tree.ts";

let folder: string;
let root: string;
const outside = () => join(folder, "outside");
const secret = () => join(outside(), "secret.txt");

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "stepfall-tree-")));
  root = join(folder, "tree");
  mkdirSync(join(root, "src"), { recursive: true });
  mkdirSync(join(root, ".git/hooks"), { recursive: true });
  mkdirSync(outside());
  writeFileSync(secret(), "TOP SECRET\n");
  writeFileSync(join(root, "src/a.txt"), "one\ntwo\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Both ways of reaching a file: by descriptor, and by name as on macOS. */
describe.each([
  ["by descriptor", true],
  ["by name", false],
])("files are confined, %s", (_, byDescriptor) => {
  const tree = () => new Tree(root, { byDescriptor });

  const readers: [string, (path: string) => unknown][] = [
    ["read_file", (path) => readRange(tree(), path)],
    ["list_files", (path) => listFiles(tree(), path)],
    ["search", (path) => search(tree(), { pattern: "SECRET", isRegex: false, path })],
  ];
  const writers: [string, (path: string) => unknown][] = [
    ["edit_file", (path) => editText(tree(), path, "TOP SECRET", "leaked")],
    ["write_file", (path) => writeText(tree(), path, "leaked")],
  ];

  const attacks: [string, () => string][] = [
    ["an absolute path", secret],
    ["the way up", () => "../outside/secret.txt"],
    ["the way down and up", () => "src/../../outside/secret.txt"],
    ["an absolute path that begins like the workspace's", () => `${root}-evil/secret.txt`],
    ["an absolute path through the workspace", () => `${root}/../outside/secret.txt`],
    ["the home folder", () => "~/secret.txt"],
    ["another's home folder", () => "~root/secret.txt"],
    ["a NUL byte", () => "src/a.txt\0.png"],
    [
      "a symlink to a file",
      () => {
        symlinkSync(secret(), join(root, "link"));
        return "link";
      },
    ],
    [
      "a relative symlink to a file",
      () => {
        symlinkSync("../../outside/secret.txt", join(root, "src/link"));
        return "src/link";
      },
    ],
    [
      "a symlink to a folder",
      () => {
        symlinkSync(outside(), join(root, "dir"));
        return "dir/secret.txt";
      },
    ],
    [
      "a symlink to a symlink to a folder",
      () => {
        symlinkSync("second", join(root, "first"));
        symlinkSync("../outside", join(root, "second"));
        return "first/secret.txt";
      },
    ],
    [
      "a symlink to the root of the file system",
      () => {
        symlinkSync("/", join(root, "slash"));
        return `slash${secret()}`;
      },
    ],
    [
      "a symlink that leads in circles",
      () => {
        symlinkSync("loop", join(root, "loop"));
        return "loop";
      },
    ],
    [
      "a symlink through /proc",
      () => {
        symlinkSync("/proc/self/root", join(root, "proc"));
        return `proc${secret()}`;
      },
    ],
  ];

  test.each(attacks.flatMap(([attack, path]) => [...readers, ...writers].map(([tool, use]) => [tool, attack, path, use] as const)))(
    "%s refuses %s",
    async (_tool, _attack, path, use) => {
      const target = path();
      await expect((async () => use(target))()).rejects.toMatchObject({ name: "Refused" });
      expect(readFileSync(secret(), "utf8")).toBe("TOP SECRET\n");
    },
  );

  test("a new file is not written through a symlink to a place outside that does not exist yet", () => {
    symlinkSync(join(outside(), "new.txt"), join(root, "dangling"));
    expect(() => writeText(tree(), "dangling", "x")).toThrow(/outside|leads out/);
    expect(existsSync(join(outside(), "new.txt"))).toBe(false);
    symlinkSync(outside(), join(root, "dir"));
    expect(() => writeText(tree(), "dir/deep/new.txt", "x")).toThrow(/leads out/);
    expect(existsSync(join(outside(), "deep"))).toBe(false);
  });

  test.each([".git/hooks/pre-commit", ".git/config", ".GIT/config", ".git", "sub/.git/hooks/x", ".g\u200cit/config"])(
    "writing to %s is refused",
    (path) => {
      expect(() => writeText(tree(), path, "x")).toThrow(/\.git/);
      expect(existsSync(join(root, ".git/hooks/pre-commit"))).toBe(false);
    },
  );

  test("writing to .git through a symlink is refused", () => {
    symlinkSync(".git/hooks", join(root, "hooks"));
    expect(() => writeText(tree(), "hooks/pre-commit", "x")).toThrow(/\.git/);
    expect(existsSync(join(root, ".git/hooks/pre-commit"))).toBe(false);
  });

  test("symlinks that stay inside work, relative and absolute", () => {
    symlinkSync("src", join(root, "relative"));
    symlinkSync(join(root, "src/a.txt"), join(root, "absolute"));
    symlinkSync("../src/a.txt", join(root, "src/up"));
    expect(readRange(tree(), "relative/a.txt")).toContain("one\ntwo");
    editText(tree(), "absolute", "two", "three");
    expect(readRange(tree(), "src/up")).toContain("one\nthree");
    expect(lstatSync(join(root, "absolute")).isSymbolicLink()).toBe(true);
    expect(listFiles(tree(), "relative")).toContain("src/a.txt");
  });

  test("absolute paths inside the workspace work", () => {
    expect(readRange(tree(), join(root, "src/a.txt"))).toContain("two");
    expect(listFiles(tree(), root)).toContain("src/a.txt");
  });

  test("devices, named pipes and folders are refused without being opened", { timeout: 5000 }, () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    expect(() => readRange(tree(), "pipe")).toThrow(/not a regular file/);
    expect(() => writeText(tree(), "pipe", "x")).toThrow(/not a regular file/);
    expect(() => readRange(tree(), "src")).toThrow(/folder/);
    expect(() => writeText(tree(), "src", "x")).toThrow();
    expect(() => writeText(tree(), "src/a.txt/b", "x")).toThrow(/not a folder/);
    expect(listFiles(tree(), ".")).toContain("pipe");
  });

  test("a folder swapped for a symlink between looking and opening leads nowhere", () => {
    let swaps = 0;
    writeFileSync(join(root, "src/secret.txt"), "harmless\n");
    const attacked = new Tree(root, {
      byDescriptor,
      onEnter: () => {
        swaps += 1;
        renameSync(join(root, "src"), join(root, "src.real"));
        symlinkSync(outside(), join(root, "src"));
      },
    });
    let read: string | undefined;
    try {
      read = readRange(attacked, "src/secret.txt");
    } catch {
      read = undefined; // refused: as good
    }
    expect(swaps).toBe(1);
    expect(read ?? "").not.toContain("TOP SECRET");
  });
});

test("under a racing attacker nothing from outside is ever read or written", { timeout: 20_000 }, async () => {
  const { spawn } = await import("node:child_process");
  const swap = `import { renameSync, symlinkSync, rmSync } from "node:fs";
    const [root, outside] = process.argv.slice(1);
    for (;;) { renameSync(root + "/src", root + "/aside"); symlinkSync(outside, root + "/src"); rmSync(root + "/src"); renameSync(root + "/aside", root + "/src"); }`;
  const attacker = spawn(process.execPath, ["--input-type=module", "-e", swap, root, outside()], { stdio: "ignore" });
  writeFileSync(join(root, "src/secret.txt"), "harmless\n");
  const outcomes = { read: 0, refused: 0 };
  try {
    const tree = new Tree(root);
    for (const end = performance.now() + 1500; performance.now() < end;) {
      try {
        expect(readRange(tree, "src/secret.txt")).not.toContain("TOP");
        writeText(tree, "src/written.txt", "x");
        outcomes.read += 1;
      } catch (error) {
        if ((error as Error).name === "AssertionError") throw error;
        outcomes.refused += 1;
      }
    }
  } finally {
    attacker.kill("SIGKILL");
    await new Promise((resolve) => attacker.once("exit", resolve));
  }
  expect(existsSync(join(outside(), "written.txt"))).toBe(false);
  expect(readFileSync(secret(), "utf8")).toBe("TOP SECRET\n");
  expect(outcomes.read).toBeGreaterThan(0);
});

describe("reading and writing", () => {
  const tree = () => new Tree(root);

  test("a range says which lines of how many it has", () => {
    writeFileSync(join(root, "long.txt"), Array.from({ length: 5000 }, (_, i) => `line ${i + 1}`).join("\n"));
    expect(readRange(tree(), "long.txt", 10, 11)).toBe("[long.txt, lines 10-11 of 5000]\nline 10\nline 11");
    expect(readRange(tree(), "long.txt")).toMatch(/^\[long.txt, lines 1-1500 of 5000\]\nline 1\n/);
    expect(() => readRange(tree(), "long.txt", 5001)).toThrow(/has 5000 lines/);
    writeFileSync(join(root, "one-line.txt"), "x".repeat(200_000));
    expect(readRange(tree(), "one-line.txt").length).toBeLessThan(51_000);
    expect(() => readRange(tree(), "nothing.txt")).toThrow(/does not exist/);
  });

  test("binary and huge files are refused", () => {
    writeFileSync(join(root, "image.png"), Buffer.from([0x89, 0x50, 0, 1, 2]));
    expect(() => readRange(tree(), "image.png")).toThrow(/not a text file/);
    expect(() => editText(tree(), "image.png", "P", "Q")).toThrow(/not a text file/);
    execFileSync("truncate", ["-s", "1G", join(root, "huge")]);
    expect(() => readRange(tree(), "huge")).toThrow(/at most/);
    expect(() => writeText(tree(), "big", "x".repeat(3_000_000))).toThrow(/at most/);
  });

  test("an edit needs one exact place, and keeps mode and line ends", () => {
    const path = join(root, "run.sh");
    writeFileSync(path, "a\r\nb\r\na b\r\n", { mode: 0o755 });
    expect(() => editText(tree(), "run.sh", "a", "x")).toThrow(/more than once/);
    expect(() => editText(tree(), "run.sh", "c", "x")).toThrow(/is not in/);
    expect(() => editText(tree(), "run.sh", "", "x")).toThrow(/empty/);
    expect(editText(tree(), "run.sh", "b\na b", "$& new\nlast")).toBe("edited run.sh at line 2");
    expect(readFileSync(path, "utf8")).toBe("a\r\n$& new\r\nlast\r\n");
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  test("writing a file that is hard-linked to a shared cache leaves the cache alone", () => {
    writeFileSync(join(outside(), "cached.js"), "original");
    linkSync(join(outside(), "cached.js"), join(root, "src/cached.js"));
    writeText(tree(), "src/cached.js", "patched");
    expect(readFileSync(join(outside(), "cached.js"), "utf8")).toBe("original");
    expect(readFileSync(join(root, "src/cached.js"), "utf8")).toBe("patched");
    expect(listFiles(tree(), ".")).not.toContain(".stepfall-");
  });

  test("a listing leaves out .git and names node_modules", () => {
    mkdirSync(join(root, "node_modules/x"), { recursive: true });
    writeFileSync(join(root, "node_modules/x/index.js"), "");
    writeFileSync(join(root, ".git/config"), "");
    writeFileSync(join(root, "src/b.ts"), "");
    expect(listFiles(tree(), ".")).toBe("src/a.txt\nsrc/b.ts\n(not listed: node_modules)");
    expect(listFiles(tree(), ".", "*.ts")).toBe("src/b.ts\n(not listed: node_modules)");
    expect(listFiles(tree(), "src", "src/*.txt")).toBe("src/a.txt");
  });
});
