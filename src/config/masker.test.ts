import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMasker } from "./masker.ts";

const SECRET = 'p@ss/w+rd "9"\\x~';

describe("what is masked", () => {
  const masker = createMasker([SECRET]);
  const forms: [string, string][] = [
    ["as it is", SECRET],
    ["URL-encoded", encodeURIComponent(SECRET)],
    ["URL-encoded with small letters", encodeURIComponent(SECRET).replace(/%[0-9A-F]{2}/g, (h) => h.toLowerCase())],
    ["as a form field", new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ["inside JSON", JSON.stringify(SECRET).slice(1, -1)],
    ["inside JSON inside JSON", JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
    ["base64", Buffer.from(SECRET).toString("base64")],
    ["base64url", Buffer.from(SECRET).toString("base64url")],
  ];
  test.each(forms)("a secret %s", (_, form) => {
    const masked = masker.mask(`before ${form} after`);
    expect(masked).toMatch(/^before \*\*\*.{0,4} after$/);
  });

  test("a secret in a Basic header, whatever the length of the user's name", () => {
    for (const user of ["", "a", "ab", "abc", "abcd"]) {
      const header = Buffer.from(`${user}:${SECRET}`).toString("base64");
      const left = masker.mask(header).replaceAll("***", "");
      expect(left.length).toBeLessThan(12);
    }
  });

  test("each line of a private key, but not its header", () => {
    const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhk\nG9w0BAQEFAASCBKcw\n-----END PRIVATE KEY-----";
    expect(createMasker([key]).mask(key)).toBe("-----BEGIN PRIVATE KEY-----\n***\n***\n-----END PRIVATE KEY-----");
  });
});

test("values under six characters and empty ones are left alone", () => {
  expect(createMasker(["on", "", "12345"]).mask("on 12345")).toBe("on 12345");
  expect(createMasker(["123456"]).mask("x123456y")).toBe("x***y");
});

test("of two secrets where one begins the other, the longer is masked whole", () => {
  expect(createMasker(["secret", "secret-longer"]).mask("secret-longer secret")).toBe("*** ***");
});

test("the characters of a pattern language in a secret mean themselves", () => {
  expect(createMasker(["a.*b|c$(["]).mask("a.*b|c$([ and aXXb|c")).toBe("*** and aXXb|c");
});

describe("a stream", () => {
  test("masks a secret that arrives in pieces and shows nothing of it in between", () => {
    const stream = createMasker(["hunter2-hunter2"]).stream();
    expect(stream.push("key=hunter2-h")).toBe("key=");
    expect(stream.push("unter2 done")).toBe("*** done");
    expect(stream.end()).toBe("");
  });

  test("gives, in any pieces, what masking the whole gives", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 60 });
    const secrets = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 6, maxLength: 9 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 8 }), secrets, (pieces, values) => {
        const masker = createMasker(values);
        const stream = masker.stream();
        const streamed = pieces.map((p) => stream.push(p)).join("") + stream.end();
        expect(streamed).toBe(masker.mask(pieces.join("")));
      }),
      { numRuns: 2000 },
    );
  });

  test("never shows a secret it knows", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6, maxLength: 40 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(secret.trim() === secret && !/[\r\n]/.test(secret) && !secret.includes("*") && !before.includes(secret));
        const stream = createMasker([secret]).stream();
        const out = [...`${before}${secret}${after}`].map((c) => stream.push(c)).join("") + stream.end();
        expect(out.replaceAll("***", "\n")).not.toContain(secret);
      }),
    );
  });
});
