import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { confinementOf, isWithin, type ConfinementInput } from "./confinement.ts";

const input = (more: Partial<ConfinementInput> = {}): ConfinementInput => ({
  workspace: {
    tree: "/home/ann/.sf/workspaces/r/a-1/tree",
    home: "/home/ann/.sf/workspaces/r/a-1/home",
    tmp: "/home/ann/.sf/workspaces/r/a-1/tmp",
  },
  stepfallHome: "/home/ann/.sf",
  userHome: "/home/ann",
  project: "/home/ann/app",
  objects: ["/home/ann/app/.git/objects"],
  caches: ["/home/ann/.sf/cache/01"],
  program: ["/srv/stepfall"],
  path: "/usr/bin:/bin",
  network: { kind: "only", gatewayPort: 4711, domains: [] },
  ...more,
});
/** Of PATH alone: what is readable beyond the usual. */
const extra = (path: string) => {
  const usual = new Set(confinementOf(input()).readable);
  return confinementOf(input({ path })).readable.filter((folder) => !usual.has(folder));
};

describe("what a process of an attempt may reach", () => {
  test("it writes in its workspace and the caches only, and its own login where it is there", () => {
    const { writable, writableIfThere } = confinementOf(input({ login: ["/home/ann/.claude"] }));
    const root = "/home/ann/.sf/workspaces/r/a-1";
    expect(writable).toEqual([`${root}/tree`, `${root}/home`, `${root}/tmp`, "/home/ann/.sf/cache/01"]);
    expect(writableIfThere).toEqual(["/home/ann/.claude"]);
  });

  test("neither HOME nor STEPFALL_HOME nor the checkout is readable, whatever is", () => {
    const { readable, denied } = confinementOf(input());
    for (const path of ["/home/ann/.ssh/id", "/home/ann/app/.env", "/home/ann/.sf/stepfall.db"])
      expect(readable.filter((folder) => isWithin(path, folder))).toEqual([]);
    expect(denied).toEqual(expect.arrayContaining(["/home/ann/.sf", "/home/ann/app", "/home/ann/.ssh", "/etc/shadow"]));
  });

  test("the login of an agent that has one of its own is not denied", () => {
    expect(confinementOf(input()).denied).toContain("/home/ann/.config");
    expect(confinementOf(input({ login: ["/home/ann/.config"] })).denied).not.toContain("/home/ann/.config");
  });

  test("a folder of PATH brings what its programs need, and no more", () => {
    expect(extra("/home/ann/.nvm/versions/node/v24/bin")).toEqual(["/home/ann/.nvm/versions/node/v24"]);
    expect(extra("/home/ann/.pyenv/shims")).toEqual(["/home/ann/.pyenv"]);
    expect(extra("/home/ann/app/node_modules/.bin")).toEqual(["/home/ann/app/node_modules"]);
    expect(extra("/home/ann/.local/bin:/home/ann/go/bin")).toEqual(["/home/ann/.local/bin", "/home/ann/go/bin"]);
    expect(extra("/home/ann/bin:/home/bin:/bin:.:relative:/")).toEqual(["/home/ann/bin", "/home/bin"]);
    expect(extra("/home/ann/.sf/workspaces/r/b-1/tree/bin")).toEqual([]);
    expect(extra("/usr/local/bin:/opt/jdk/bin")).toEqual([]);
  });

  test("whatever PATH is, it never brings a folder around HOME, the checkout or STEPFALL_HOME", () => {
    const part = fc.constantFrom("home", "ann", "app", ".sf", "bin", "sbin", "shims", "node_modules", ".bin", ".local");
    const folder = fc.array(part, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`);
    fc.assert(
      fc.property(fc.array(folder, { maxLength: 4 }), (folders) => {
        // Folders that stand in PATH themselves were let in by the user.
        const own = new Set(folders);
        for (const readable of extra(folders.join(":")).filter((path) => !own.has(path)))
          for (const kept of ["/home/ann", "/home/ann/app", "/home/ann/.sf"]) expect(isWithin(kept, readable), readable).toBe(false);
      }),
    );
  });
});
