import fc from "fast-check";
import { expect, test } from "vitest";
import { formOf, isPersons, saidIn, whyNotAsked } from "./deciding.ts";

const item = { item: "r/s!1", title: "Ship it?", choices: [] as string[], who: [] as string[], count: 1 };
const kinds = fc.constantFrom("approval", "permission", "conflict" as "permission", "budget", "question");

test("only questions, and what spends nothing more, may be settled by an agent itself", () => {
  expect(isPersons("question", { verdict: "answer", text: "raise 5" })).toBe(false);
  for (const verdict of ["approve", "reject", "rework"] as const)
    for (const kind of ["approval", "permission"] as const) expect(isPersons(kind, { verdict })).toBe(true);
  for (const text of ["stop", "cheaper", " Stop "]) expect(isPersons("budget", { verdict: "answer", text })).toBe(false);
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (!["stop", "cheaper"].includes(text.trim().toLowerCase())) expect(isPersons("budget", { verdict: "answer", text })).toBe(true);
    }),
  );
});

test("what names who may answer, and what several must agree to, is put to nobody in particular", () => {
  expect(whyNotAsked({ ...item, kind: "approval" })).toBeUndefined();
  expect(whyNotAsked({ ...item, kind: "approval", who: ["bob"] })).toBe("only bob may answer it");
  expect(whyNotAsked({ ...item, kind: "approval", count: 2 })).toBe("2 people must agree");
});

test("a form asks for what the item wants, and whatever a client sends back is taken only where it fits", () => {
  expect(formOf({ ...item, kind: "question", choices: ["a", "b"] }, "Run r")).toMatchObject({
    message: "Run r\n\nShip it?",
    requestedSchema: { properties: { answer: { enum: ["a", "b"] } }, required: ["answer"] },
  });
  expect(formOf({ ...item, kind: "approval", detail: "d".repeat(9000) }, "Run r").message.length).toBeLessThan(4100);
  expect(formOf({ ...item, kind: "permission" }, "")).toMatchObject({
    requestedSchema: { properties: { decision: { enum: ["approve", "reject"] } } },
  });
  expect(saidIn("approval", { decision: "rework", comment: "again" })).toEqual({ verdict: "rework", text: "again" });
  expect(saidIn("approval", { decision: "answer" })).toBeUndefined();
  expect(saidIn("question", { answer: "" })).toBeUndefined();
  fc.assert(
    fc.property(kinds, fc.anything(), (kind, content) => {
      const said = saidIn(kind, content);
      if (said !== undefined) expect(said.verdict === "answer").toBe(kind === "question" || kind === "budget");
    }),
  );
});
