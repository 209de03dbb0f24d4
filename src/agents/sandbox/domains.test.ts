import fc from "fast-check";
import { expect, test } from "vitest";
import { loadConfig } from "../../config/index.ts";
import { isAllowed, parseDomain } from "./domains.ts";

test("a domain without a port is let through at 80 and 443, with one only there", () => {
  expect(isAllowed(["example.com"], "example.com", 443)).toBe(true);
  expect(isAllowed(["example.com"], "EXAMPLE.com.", 80)).toBe(true);
  expect(isAllowed(["example.com"], "example.com", 22)).toBe(false);
  expect(isAllowed(["example.com:22"], "example.com", 22)).toBe(true);
  expect(isAllowed(["example.com:22"], "example.com", 443)).toBe(false);
  expect(isAllowed(["[::1]:8080"], "[::1]", 8080)).toBe(true);
});

test("a wildcard is for every name below, and not for the name itself or one that only ends like it", () => {
  const allowed = (host: string) => isAllowed(["*.example.com"], host, 443);
  expect(["a.example.com", "a.b.example.com"].map(allowed)).toEqual([true, true]);
  expect(["example.com", ".example.com", "evilexample.com", "example.com.evil.org"].map(allowed)).toEqual([false, false, false, false]);
});

test("what is no domain is none", () => {
  for (const text of [
    "",
    "*",
    "*.com",
    "*.localhost",
    "https://example.com",
    "example.com/x",
    "a.*.com",
    "example.com:0",
    "example.com:99999",
    "a b",
    "user@example.com",
    "*.127.0.0.1",
  ])
    expect(parseDomain(text), text).toBeUndefined();
});

test("without domains nothing is let through, whatever it is called", () => {
  fc.assert(fc.property(fc.string(), fc.nat(65_535), (host, port) => !isAllowed([], host, port)));
  fc.assert(fc.property(fc.domain(), (host) => !isAllowed(["example.invalid"], host, 443) || host === "example.invalid"));
});

test("the settings take as a domain what this takes, and nothing else", () => {
  const inSettings = (domain: string): boolean =>
    loadConfig({ env: {}, home: "/nonexistent", projectText: JSON.stringify({ sandbox: { domains: [domain] } }) }).ok;
  const pieces = [
    "*.",
    "*",
    "a",
    "example",
    ".com",
    ".",
    "..",
    ":",
    ":80",
    ":0",
    ":65536",
    "[",
    "]",
    "[::1]",
    "127.0.0.1",
    "/",
    "@",
    " ",
    "ä",
  ];
  const piece = fc.constantFrom(...pieces);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(piece, { maxLength: 6 }).map((some) => some.join("")),
        fc.domain(),
        fc.string(),
      ),
      (text) => {
        expect(inSettings(text), JSON.stringify(text)).toBe(parseDomain(text) !== undefined);
      },
    ),
    {
      numRuns: 500,
      examples: ["*.127.0.0.1", "*.[::1]", "[.]", "*.localhost", "[::1]:65535", "*.example.com.", "*.a.b:0"].map((text) => [text]),
    },
  );
});
