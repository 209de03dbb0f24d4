import { format, inspect } from "node:util";
import { expect, test } from "vitest";
import { SecretBox } from "./secret-box.ts";

const box = new SecretBox(
  new Map([
    ["KEY", "sk-very-secret"],
    ["EMPTY", ""],
    ["PATH", "/usr/bin"],
  ]),
  ["sk-very-secret"],
);

test("a secret is had by its name; an empty one counts as missing", () => {
  expect(box.get("KEY")).toBe("sk-very-secret");
  expect(box.get("EMPTY")).toBeUndefined();
  expect(box.get("OTHER")).toBeUndefined();
  expect(box.values()).toEqual(["sk-very-secret"]);
  expect(box.mask("use sk-very-secret in /usr/bin")).toBe("use *** in /usr/bin");
});

test("no way of printing it shows a secret", () => {
  const config = { secrets: box, list: [box] };
  const printed = [
    JSON.stringify(config),
    inspect(config, { depth: 10, showHidden: true, getters: true }),
    inspect(config, { customInspect: false, showHidden: true, depth: 10 }),
    format("%s %o %O %j", box, box, box, box),
    String(box),
    `${box}`,
    JSON.stringify(Object.entries(box)),
    JSON.stringify({ ...box }),
  ].join("\n");
  expect(printed).not.toContain("very-secret");
  expect(() => structuredClone(box)).not.toThrow();
  expect(inspect(structuredClone(box))).not.toContain("very-secret");
});
