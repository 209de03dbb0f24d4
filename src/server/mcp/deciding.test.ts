import fc from "fast-check";
import { expect, test } from "vitest";
import { formOf, isPersons, saidIn, whyNotAgents, whyNotAsked } from "./deciding.ts";

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

test("what several must agree to, one agent does not decide under several names", () => {
  const by = (name: string) => [{ by: name, verdict: "approve" as const, text: undefined, at: 1 }];
  const agent = { agent: "mcp:second" };
  expect(whyNotAgents({ count: 2, answers: by("mcp:first") }, agent)).toContain("an agent has (mcp:first)");
  for (const name of ["mcp:second", "mcp:first/anna", "anna"]) expect(whyNotAgents({ count: 2, answers: by(name) }, agent)).toBeUndefined();
  expect(whyNotAgents({ count: 1, answers: by("mcp:first") }, agent)).toBeUndefined();
});

const run = { runId: "r", pipeline: "p" };

test("a form asks for what the item wants, and whatever a client sends back is taken only where it fits", () => {
  expect(formOf({ ...item, kind: "question", choices: ["a", "b"] }, run)).toMatchObject({
    message: "Run r (p) waits for your answer.\n\nShip it?",
    requestedSchema: { properties: { answer: { enum: ["a", "b"] } }, required: ["answer"] },
  });
  expect(formOf({ ...item, kind: "permission" }, run)).toMatchObject({
    requestedSchema: { properties: { decision: { enum: ["approve", "reject"] } } },
  });
  expect(formOf({ ...item, kind: "budget", choices: ["raise", "stop"] }, run)).toMatchObject({
    requestedSchema: { properties: { answer: { description: "raise, stop; or raise 2.50 (USD)" } } },
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

test("what an agent asks leave for is shown to its end, however long names are and whatever the agent says for it", () => {
  const command = `${"x".repeat(3990)} rm -rf ~`;
  const form = formOf(
    { ...item, kind: "permission", title: "t".repeat(300), detail: command },
    { runId: "r", pipeline: "p".repeat(5000) },
    `mcp:agent proposes: ${"harmless ".repeat(500)}`,
  );
  expect(form.message).toContain("rm -rf ~");
  expect(form.message.length).toBeLessThan(8000);
  expect(form.message.indexOf("rm -rf ~")).toBeLessThan(form.message.indexOf("harmless"));
  const shown = formOf(
    { ...item, kind: "permission", title: "clean\u001b[2K\u001b[1A", detail: "rm \u202etxt.exe\tfor\ngood" },
    run,
  ).message;
  expect(shown).toBe("Run r (p) waits for your decision.\n\nclean?[2K?[1A\n\nrm ?txt.exe\tfor\ngood");
  expect(formOf({ ...item, kind: "approval", detail: "d".repeat(9000) }, run).message).toContain("before you decide");
});
