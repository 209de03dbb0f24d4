import { expect, test } from "vitest";
import { claudeDialect } from "./claude.ts";

/** Events as Claude Code 2.1.330 wrote them against a scripted model; fields that nobody reads are left out. */
const init = { type: "system", subtype: "init", session_id: "s-1", permissionMode: "acceptEdits" };
const uses = (id: string, name: string, input: object, message = id) => ({
  type: "assistant",
  message: { id: `msg-${message}`, model: "m", content: [{ type: "tool_use", id, name, input }] },
  session_id: "s-1",
});
const answered = (id: string, is_error = false) => ({
  type: "user",
  message: { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "x", is_error }] },
});
const says = (text: string) => ({ type: "assistant", message: { id: "msg-last", model: "m", content: [{ type: "text", text }] } });
const success = {
  type: "result",
  subtype: "success",
  is_error: false,
  result: "All done.",
  stop_reason: "end_turn",
  terminal_reason: "completed",
  api_error_status: null,
  permission_denials: [],
  session_id: "s-1",
  usage: { input_tokens: 3, cache_creation_input_tokens: 4, cache_read_input_tokens: 5, output_tokens: 7 },
};
const synthetic = { type: "assistant", message: { id: "x", model: "<synthetic>", content: [{ type: "text", text: "API Error" }] } };

function read(...events: object[]) {
  const reader = claudeDialect.reader({ env: {} });
  const progress = events.flatMap((event) => reader.event(event));
  return { progress, ending: reader.ending(), session: reader.session, reported: reader.reported() };
}

test("a session that did its work: what it did, its last words, its session, its tokens with the cached ones", () => {
  const read1 = read(init, uses("t1", "Write", { file_path: "src/a.ts" }), answered("t1"), says("All done."), success);
  expect(read1).toEqual({
    progress: ["write src/a.ts"],
    ending: { kind: "ended", summary: "All done." },
    session: "s-1",
    reported: { calls: 2, inputTokens: 12, cachedInputTokens: 5, outputTokens: 7 },
  });
});

test("an answer that comes in several events is one call", () => {
  const { reported } = read(uses("t1", "Read", {}, "same"), uses("t2", "Bash", { command: "ls" }, "same"), success);
  expect(reported?.calls).toBe(1);
});

test("in a session taken up again, only what this process used counts, of all models", () => {
  const usage = (inputTokens: number) => ({ inputTokens, outputTokens: 2, cacheReadInputTokens: 1, cacheCreationInputTokens: 4 });
  const { reported } = read(says("x"), {
    ...success,
    modelUsage: { big: usage(100), small: usage(100) },
    model_usage_since_last_result: { big: usage(10), small: usage(20) },
  });
  expect(reported).toEqual({ calls: 1, inputTokens: 40, cachedInputTokens: 2, outputTokens: 4 });
});

test.each([
  [401, "authentication_error", "Invalid API key", "provider"],
  [429, "rate_limit_error", "API Error: Request rejected (429)", "provider"],
  [402, "budget_exhausted", "API Error: 402 budget of run is spent", "budget"],
] as const)("a model that answers %i is no success, though the event says so", (status, type, result, because) => {
  const failure = { ...success, is_error: true, api_error_status: status, api_error_type: type, terminal_reason: "api_error", result };
  expect(read(synthetic, failure)).toMatchObject({ ending: { kind: "failed", because, message: result } });
  expect(read(synthetic, { ...failure, usage: undefined }).reported).toBeUndefined();
});

test("an error of the model with no status is the provider's, too", () => {
  const ending = read({ ...success, is_error: true, terminal_reason: "api_error", result: "Connection refused" }).ending;
  expect(ending).toEqual({ kind: "failed", because: "provider", message: "Connection refused" });
});

test("the limit of turns is a failure with its reason", () => {
  const stopped = {
    ...success,
    result: undefined,
    subtype: "error_max_turns",
    is_error: true,
    errors: ["Reached maximum number of turns (2)"],
  };
  expect(read(stopped).ending).toEqual({ kind: "failed", because: "agent", message: "Reached maximum number of turns (2)" });
});

test("a model that refuses has failed, in its own words: the event speaks of an error of the API", () => {
  const refused = { ...success, is_error: true, stop_reason: "refusal", terminal_reason: "api_error", result: "API Error: flagged" };
  const { ending } = read(says("I won't."), synthetic, refused);
  expect(ending).toEqual({ kind: "failed", because: "agent", message: "the model refused: I won't." });
});

test("an agent that was refused leave and did nothing after has failed, whatever it says", () => {
  const write = uses("t1", "Write", { file_path: "src/a.ts" });
  const denied = { ...success, permission_denials: [{ tool_name: "Write", tool_use_id: "t1", tool_input: { file_path: "src/a.ts" } }] };
  const { ending } = read(write, answered("t1", true), uses("t2", "Read", {}), answered("t2"), says("All done."), denied);
  expect(ending).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("leave to write src/a.ts") });
});

test("an agent that was refused leave for one thing and did another is judged by what it did", () => {
  const denied = { ...success, permission_denials: [{ tool_name: "Bash", tool_use_id: "t1", tool_input: { command: "npm test" } }] };
  const { ending } = read(uses("t1", "Bash", {}), answered("t1", true), uses("t2", "Edit", {}), answered("t2"), denied);
  expect(ending).toMatchObject({ kind: "ended" });
});

test("a session that is not there is told from other failures", () => {
  const gone = {
    ...success,
    result: undefined,
    subtype: "error_during_execution",
    is_error: true,
    errors: ["No conversation found with session ID: s-0"],
  };
  expect(read(gone).ending).toMatchObject({ kind: "no-session" });
});

test("events that are not known, and known ones of another shape, are passed over", () => {
  expect(read({ type: "news", x: 1 }, { type: "assistant" }, { type: "user", message: 3 }, { ...success, usage: "many" }).ending).toEqual({
    kind: "ended",
    summary: "All done.",
  });
  expect(read(init, says("x")).ending).toBeUndefined();
});

test("each policy has its arguments, and root can use them all", () => {
  const args = (permissions: "allow" | "edits" | "deny") => claudeDialect.args({ permissions }).join(" ");
  expect(args("allow")).toContain("--permission-mode acceptEdits --allowedTools Bash,");
  expect(args("edits")).toMatch(/acceptEdits$/);
  expect(args("deny")).toContain("dontAsk");
  for (const policy of ["allow", "edits", "deny"] as const) expect(args(policy)).not.toContain("bypass");
  expect(claudeDialect.args({ permissions: "edits", resume: "s-1", maxTurns: 3 }).join(" ")).toContain("--max-turns 3 --resume s-1");
});
