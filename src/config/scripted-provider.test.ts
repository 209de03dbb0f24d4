import { expect, test } from "vitest";
import { loadConfig } from "./index.ts";

const load = (projectText: string) => loadConfig({ env: {}, home: "/nowhere/home", projectDir: "/p", projectText });

test("a scripted model is a provider without a URL; its script is found beside the file that names it", () => {
  const loaded = load("providers: { made-up: { script: ./answers.json, prices: { m: { input: 1, output: 2 } } } }\n");
  expect(loaded.ok && loaded.config.providers.find((p) => p.id === "made-up")).toMatchObject({
    url: "",
    script: "/p/answers.json",
    ready: { ok: true },
  });
});

test.each([
  ["providers: { x: { script: ../answers.json } }", "BAD_PATH"],
  ["providers: { x: { script: /etc/passwd } }", "BAD_PATH"],
  ["providers: { x: { script: a.json, url: http://127.0.0.1:1/v1 } }", "BAD_VALUE"],
  ["providers: { x: { local: true } }", "MISSING_KEY"],
])("%s is refused", (text, code) => {
  const loaded = load(text);
  expect(loaded.ok ? [] : loaded.problems.map((p) => p.code)).toEqual([code]);
});
