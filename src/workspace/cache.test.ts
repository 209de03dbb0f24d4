import { expect, test } from "vitest";
import { cacheEnvironment } from "./index.ts";

test("attempts of one project share their caches, and those of two projects do not", () => {
  const one = cacheEnvironment("/home/stepfall", "project-1");
  expect(cacheEnvironment("/home/stepfall", "project-1")).toEqual(one);
  const two = cacheEnvironment("/home/stepfall", "../../etc");
  for (const [name, folder] of Object.entries(one).filter(([, value]) => value.startsWith("/home"))) {
    expect(folder).toMatch(/^\/home\/stepfall\/cache\/[0-9a-f]{16}\/[\w-]+$/);
    expect(two[name]).toMatch(/^\/home\/stepfall\/cache\/[0-9a-f]{16}\/[\w-]+$/);
    expect(two[name]).not.toBe(folder);
  }
  expect(Object.keys(one)).toEqual(expect.arrayContaining(["npm_config_cache", "PIP_CACHE_DIR", "GOMODCACHE", "UV_CACHE_DIR"]));
});

test("no folder is shared through which one attempt could run code in another", () => {
  const env = cacheEnvironment("/h", "p");
  expect(env).not.toHaveProperty("CARGO_HOME");
  expect(env).not.toHaveProperty("GRADLE_USER_HOME");
  expect(env.CCACHE_CONFIGPATH).toBe("/dev/null");
});

test("no cache is shared whose files would be the very files of an attempt's node_modules", () => {
  const env = cacheEnvironment("/h", "p");
  expect(env).not.toHaveProperty("BUN_INSTALL_CACHE_DIR");
  expect(env["npm_config_package_import_method"]).toBe("clone-or-copy");
  expect(env["pnpm_config_package_import_method"]).toBe("clone-or-copy");
});
