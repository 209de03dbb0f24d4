import { describe, expect, test } from "vitest";
import { asProblem, Problem, problemOf } from "./problem.ts";

describe("what a person is told when a request fails", () => {
  test("the server's words are kept: what happened, its code, what to do, and each thing that is wrong", () => {
    const problems = [{ code: "NEEDS_UNKNOWN", message: "no step b", file: "p.yaml", line: 3 }];
    const told = problemOf(422, { detail: "the pipeline is not valid", code: "PIPELINE_BAD", hint: "Mend it.", problems });
    expect(told).toMatchObject({ status: 422, message: "the pipeline is not valid", code: "PIPELINE_BAD", hint: "Mend it.", problems });
  });

  test("an answer that is no problem of ours, and no answer at all, still say what to do", () => {
    expect(problemOf(502, undefined)).toMatchObject({ code: "HTTP_502", message: expect.stringContaining("502") as string });
    expect(problemOf(401, "<html>")).toMatchObject({ code: "NOT_LOGGED_IN", hint: expect.stringContaining("stepfall up") as string });
    expect(asProblem(new TypeError("Failed to fetch"))).toMatchObject({ status: 0, code: "UNREACHABLE" });
    const known = problemOf(404, {});
    expect(asProblem(known)).toBe(known);
    expect(known).toBeInstanceOf(Problem);
  });
});
