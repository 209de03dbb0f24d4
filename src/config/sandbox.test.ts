import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultSandbox, loadConfig, type Config, type ConfigFlags, type Environment } from "./index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stepfall-config-"));
  for (const name of ["home", "project", "project/docs", "project/build"]) mkdirSync(join(root, name));
});
afterEach(() => rmSync(root, { recursive: true }));

interface Given {
  project?: string;
  user?: string;
  env?: Environment;
  flags?: ConfigFlags;
}
function load({ project = "slots: 2", user, env = {}, flags = {} }: Given): ReturnType<typeof loadConfig> {
  if (user !== undefined) writeFileSync(join(root, "home/config.yaml"), user);
  return loadConfig({
    env: { HOME: "/people/ada", ...env },
    home: join(root, "home"),
    projectDir: join(root, "project"),
    projectText: project,
    flags,
  });
}
function config(given: Given): Config {
  const loaded = load(given);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}
function problems(given: Given): string[] {
  const loaded = load(given);
  return loaded.ok ? [] : loaded.problems.map((p) => `${p.line}:${p.col} ${p.code} ${p.message} | ${p.hint}`);
}
const policy = (given: Given) => config(given).sandbox.policy;

test("without a word about it a sandbox is preferred, and nothing is let through", () => {
  const { sandbox, origins } = config({});
  expect(sandbox).toEqual(defaultSandbox);
  expect(sandbox).toEqual({ policy: "prefer", domains: [], readable: [], writable: [] });
  expect(["policy", "domains", "readable", "writable"].map((key) => origins[`sandbox.${key}`]?.kind)).toEqual(Array(4).fill("default"));
});

describe("a project that was cloned cannot open the sandbox it is run in", () => {
  test("it cannot switch it off, nor let processes write elsewhere; the sentence says where the user can", () => {
    expect(problems({ project: "sandbox:\n  policy: off\n" })).toEqual([
      "2:11 NOT_THE_PROJECTS `sandbox.policy` of a project turns the sandbox off, and that is not the project's to say | If you want it, write it into your own config.yaml in Stepfall's folder",
    ]);
    expect(problems({ project: "sandbox:\n  writable: [/var/cache]\n" })[0]).toMatch(
      /^2:14 NOT_THE_PROJECTS `sandbox.writable` of a project .* \| .*config\.yaml/,
    );
    // Also where the user says the same already: the file is no less wrong.
    expect(problems({ project: "sandbox: { policy: off }", user: "sandbox: { policy: off }" })).toHaveLength(1);
  });

  test("it reads inside itself only, links included, and not what holds secrets", () => {
    symlinkSync("/etc", join(root, "project/far"));
    symlinkSync("docs", join(root, "project/near"));
    const said = (path: string) => problems({ project: `dotenv: build/keys\nsandbox: { readable: ["${path}"] }` })[0] ?? "allowed";
    for (const path of ["/etc", "~/.ssh", "../other", "docs/../../other", "C:/x", "do*", " "]) expect(said(path), path).toMatch(/BAD_PATH/);
    for (const path of [".", "./", "docs/.."]) expect(said(path), path).toMatch(/BAD_PATH/);
    for (const path of [".git", ".git/config", "sub/.git/config", ".env", ".env.local", "sub/.env/x", "build", "build/keys"])
      expect(said(path), path).toMatch(/BAD_PATH/);
    expect(said("far")).toMatch(/BAD_PATH "far" is a link that leads out of the project/);
    symlinkSync(join(root, "elsewhere"), join(root, "project/not-yet"));
    for (const path of ["far/passwd", "far/not-there/x", "not-yet", "not-yet/x"])
      expect(said(path), path).toMatch(/leads out of the project/);
    for (const path of ["docs", "near/", "docs/environment", "not/there/yet"]) expect(said(path), path).toBe("allowed");
  });

  test("it may ask for more than the user does, never for less", () => {
    expect(policy({ project: "sandbox: { policy: require }" })).toBe("require");
    expect(policy({ project: "sandbox: { policy: require }", user: "sandbox: { policy: off }" })).toBe("require");
    expect(policy({ project: "sandbox: { policy: prefer }", user: "sandbox: { policy: require }" })).toBe("require");
    expect(policy({ project: "sandbox: { policy: prefer }", user: "sandbox: { policy: off }" })).toBe("prefer");
    const order = ["require", "prefer", "off"] as const;
    fc.assert(
      fc.property(fc.constantFrom(...order.slice(0, 2)), fc.constantFrom(...order), (project, user) => {
        const both = policy({ project: `sandbox: { policy: ${project} }`, user: `sandbox: { policy: ${user} }` });
        return order.indexOf(both) <= Math.min(order.indexOf(project), order.indexOf(user));
      }),
      { numRuns: 20 },
    );
  });
});

test("the user's own file may do all of it, and what both name is joined", () => {
  expect(policy({ user: "sandbox: { policy: off }" })).toBe("off");
  const { sandbox, origins } = config({
    project: "sandbox:\n  domains: [Registry.Example.com, '*.example.org:8443']\n  readable: [docs/]",
    user: "sandbox: { domains: [registry.example.com, '[::1]:8080'], readable: [~/data, /srv//sets/], writable: [~/.cache/models] }",
  });
  expect(sandbox).toEqual({
    policy: "prefer",
    domains: ["registry.example.com", "*.example.org:8443", "[::1]:8080"],
    readable: [join(root, "project/docs"), "/people/ada/data", "/srv/sets"],
    writable: ["/people/ada/.cache/models"],
  });
  expect(origins["sandbox.domains"]).toMatchObject({ kind: "project", line: 2 });
  expect(origins["sandbox.writable"]).toMatchObject({ kind: "user", line: 1 });
});

test("a flag, then a variable, count before the files: they are the user's word for this time", () => {
  const project = "sandbox: { policy: require }";
  expect(policy({ project, flags: { sandboxPolicy: "off" } })).toBe("off");
  expect(policy({ project, env: { STEPFALL_SANDBOX: "off" } })).toBe("off");
  const both = config({ project, flags: { sandboxPolicy: "prefer" }, env: { STEPFALL_SANDBOX: "off" } });
  expect(both.sandbox.policy).toBe("prefer");
  expect(both.origins["sandbox.policy"]).toEqual({ kind: "flag", name: "--sandbox" });
  expect(problems({ flags: { sandboxPolicy: "requre" } })).toEqual([
    "0:0 BAD_VALUE This is no policy of the sandbox | Did you mean `require`? Give require, prefer or off",
  ]);
  // Saying it for once does not make a project's file right.
  expect(problems({ project: "sandbox: { policy: off }", flags: { sandboxPolicy: "off" } })[0]).toMatch(/NOT_THE_PROJECTS/);
});

test("what is no domain, too wide, or no path is a mistake with its place", () => {
  const said = (text: string) => problems({ user: `sandbox:\n  ${text}\n` })[0];
  expect(said("domains: ['https://example.com/x']")).toMatch(
    /^2:13 BAD_VALUE .*"https:\/\/example\.com\/x" is no domain \| Write example\.com/,
  );
  expect(said("domains: [example.com:0]")).toMatch(/is no domain/);
  expect(said("domains: ['*']")).toMatch(/is no domain/);
  expect(said("domains: ['*.com']")).toMatch(/"\*\.com" is too wide/);
  expect(said("readable: [data]")).toMatch(/BAD_PATH "data" is not an absolute path/);
  expect(said("writable: [/]")).toMatch(/BAD_PATH .*whole machine/);
  expect(said("policy: on")).toMatch(/BAD_VALUE|WRONG_TYPE/);
  expect(said("allowed-domains: [a.example]")).toMatch(/Did you mean `domains`\?/);
});
