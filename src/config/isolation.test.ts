import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultIsolation, fillEnvTemplate, loadConfig, parseEnvTemplate, parseSize, type Config } from "./index.ts";

function load(projectText: string, userText?: string): ReturnType<typeof loadConfig> {
  const home = mkdtempSync(join(tmpdir(), "stepfall-config-"));
  try {
    if (userText !== undefined) writeFileSync(join(home, "config.yaml"), userText);
    return loadConfig({ env: {}, home, projectText });
  } finally {
    rmSync(home, { recursive: true });
  }
}
function config(projectText: string, userText?: string): Config {
  const loaded = load(projectText, userText);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}
const problems = (projectText: string): string[] => {
  const loaded = load(projectText);
  return loaded.ok ? [] : loaded.problems.map((p) => `${p.line}:${p.col} ${p.code} ${p.message} | ${p.hint}`);
};

test("without a word about it an attempt has five ports, and disk is bounded", () => {
  expect(config("slots: 2").isolation).toEqual(defaultIsolation);
  expect(config("slots: 2").teardown).toEqual([]);
});

test("the project's word counts before the user's, key by key and variable by variable", () => {
  const { isolation, teardown, origins } = config(
    "teardown: [docker compose down]\nisolation: { ports: 2, env: { A: project, B: '${PORT_2}' } }",
    "isolation: { ports: 9, disk: 1.5TB, workspace-disk: none, free-disk: 512MiB, env: { A: user, C: '${NAME}' } }",
  );
  expect(isolation).toEqual({
    ports: 2,
    env: { A: "project", B: "${PORT_2}", C: "${NAME}" },
    diskBytes: 1.5e12,
    workspaceDiskBytes: null,
    cacheDiskBytes: 20e9,
    freeDiskBytes: 512 * 2 ** 20,
  });
  expect(teardown).toEqual(["docker compose down"]);
  expect(origins["isolation.ports"]).toMatchObject({ kind: "project", line: 2 });
  expect(origins["isolation.disk"]).toMatchObject({ kind: "user" });
  expect(origins["isolation.cache-disk"]).toEqual({ kind: "default" });
});

test("a placeholder nobody knows, and a port that is not there, are mistakes with their place", () => {
  expect(problems("isolation:\n  env:\n    URL: http://localhost:${PROT}\n")).toEqual([
    "3:10 BAD_VALUE `${PROT}` is no placeholder | Placeholders: PORT, PORT_2, ..., NAME, ATTEMPT, RUN, STEP, TMP, HOME, TREE. Write `$${` for a plain `${`",
  ]);
  expect(problems("isolation:\n  ports: 2\n  env:\n    URL: http://localhost:${PORT_3}\n")).toEqual([
    "4:10 BAD_VALUE `${PORT_3}` asks for a port that is not there: `ports` is 2 | Write `ports: 3` or more beside `env`",
  ]);
  expect(problems("isolation:\n  env: { A: 'x${NAME' }\n")[0]).toMatch(/^2:\d+ BAD_VALUE `\$\{NAME` is no placeholder/);
});

test("secrets written out are refused, and a password of a service on this machine is none", () => {
  expect(problems("isolation:\n  env:\n    DB: postgres://app:hunter22@db.example.com/x\n")[0]).toMatch(
    /^3:\d+ LITERAL_SECRET .*DB looks like a secret/,
  );
  expect(problems("isolation:\n  env:\n    API_TOKEN: abcdefgh\n")[0]).toMatch(/^3:\d+ LITERAL_SECRET/);
  expect(problems("isolation:\n  env:\n    DB: postgres://app:hunter22@db.example.com/x\n").join()).not.toContain("hunter22");
  expect(problems("isolation:\n  env:\n    DB: postgres://app:app@localhost:${PORT}/${NAME}\n")).toEqual([]);
  expect(problems("isolation:\n  env:\n    DB: redis://:app@[::1]:${PORT}\n")).toEqual([]);
});

test("what Stepfall sets itself, and sizes that are none, are refused by name", () => {
  expect(problems("isolation:\n  env: { STEPFALL_NAME: x }\n")[0]).toMatch(/STEPFALL_NAME is set by Stepfall itself/);
  expect(problems("isolation:\n  disk: 20 potatoes\n")[0]).toMatch(/^2:9 BAD_VALUE .*"20 potatoes" is not a size/);
  expect(problems("isolation:\n  disk: 1MB\n")[0]).toMatch(/1MB is too little/);
  expect(problems("isolation:\n  max-disk: 1GB\n")[0]).toMatch(/Did you mean `disk`\?/);
  expect(problems("isolation:\n  container: x\n")[0]).toMatch(/NOT_SUPPORTED_YET/);
  expect(problems("isolation:\n  sandbox: true\n")[0]).toMatch(/UNKNOWN_KEY .* Write it at the top of the file/);
});

test("sizes: powers of ten, powers of two, or bytes", () => {
  expect(["500MB", "1.5 gb", "512MiB", "2TB", "17", "0B"].map(parseSize)).toEqual([5e8, 1.5e9, 512 * 2 ** 20, 2e12, 17, 0]);
  expect([1024, -1, 1.5].map(parseSize)).toEqual([1024, undefined, undefined]);
  expect(["", "GB", "1e9", "-1GB", "1 PB", "1G B", "9999999TB99"].map(parseSize)).toEqual(Array(7).fill(undefined));
});

test("whatever text is between placeholders comes out as it went in", () => {
  const values = { NAME: "n", ATTEMPT: "a", RUN: "r", STEP: "s", TMP: "t", HOME: "h", TREE: "e", ports: [1, 2] };
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom("$", "${", "$${", "}", "$$")), { maxLength: 8 }), (pieces) => {
      const plain = pieces.join("");
      // Every `${` written as `$${` is plain text, whatever stands around it.
      const written = plain.replaceAll("${", "$${");
      if (!/\$\$\{/.test(plain)) expect(fillEnvTemplate(written, values)).toBe(plain);
      const parsed = parseEnvTemplate(plain, 2);
      if (!plain.includes("${")) expect(parsed).toEqual({ ok: true, parts: plain === "" ? [] : [{ kind: "text", text: plain }] });
    }),
  );
  expect(fillEnvTemplate("${PORT}${PORT_1}${PORT_2}/$${NAME}/${NAME}$", values)).toBe("112/${NAME}/n$");
});
