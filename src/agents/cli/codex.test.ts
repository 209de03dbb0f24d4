import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { codexDialect } from "./codex.ts";

/** Events as codex-cli 0.169.0 wrote them against a scripted model. */
const started = { type: "thread.started", thread_id: "t-1" };
const warning = { type: "item.completed", item: { id: "item_0", type: "error", message: "Model metadata not found." } };
const said = (text: string) => ({ type: "item.completed", item: { id: "item_2", type: "agent_message", text } });
const command = (status: string, type = "item.completed") => ({
  type,
  item: { id: "item_1", type: "command_execution", command: "/bin/bash -lc 'npm test'", aggregated_output: "", exit_code: null, status },
});
const completed = (input = 11) => ({
  type: "turn.completed",
  usage: { input_tokens: input, cached_input_tokens: 5, cache_write_input_tokens: 0, output_tokens: 7, reasoning_output_tokens: 0 },
});

function read(events: object[], options: { noise?: string[]; env?: Record<string, string>; resume?: string } = {}) {
  const reader = codexDialect.reader({ env: options.env ?? {}, resume: options.resume });
  const progress = events.flatMap((event) => reader.event(event));
  for (const line of options.noise ?? []) reader.noise(line);
  return { progress, ending: reader.ending(), session: reader.session, reported: reader.reported(), reader };
}

/** A CODEX_HOME with a session's file. */
function codexHome(...records: object[]) {
  const home = mkdtempSync(join(tmpdir(), "stepfall-codex-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, "sessions/2026/11/21"), { recursive: true });
  const file = join(home, "sessions/2026/11/21/rollout-2026-11-21T13-30-37-t-1.jsonl");
  const lines = (more: object[]) => more.map((record) => `${JSON.stringify(record)}\n`).join("");
  writeFileSync(file, lines(records));
  return { env: { CODEX_HOME: home }, add: (...more: object[]) => appendFileSync(file, lines(more)) };
}
const tokens = (input_tokens: number) => ({ input_tokens, cached_input_tokens: 1, output_tokens: 2, total_tokens: 0 });
const call = (input: number) => ({ type: "token_usage_record", payload: { usage: tokens(input), thread_token_usage: tokens(999) } });
const total = (input: number) => ({ type: "event_msg", payload: { type: "token_count", info: { total_token_usage: tokens(input) } } });

test("a turn that did its work: what it did, its last words, its thread", () => {
  const turn = read([started, warning, command("in_progress", "item.started"), command("completed"), said("Done."), completed()]);
  expect(turn).toMatchObject({ progress: ["run 'npm test'"], ending: { kind: "ended", summary: "Done." }, session: "t-1" });
});

test("changed files are told one by one", () => {
  const changes = [
    { path: "src/a.ts", kind: "add" },
    { path: "src/b.ts", kind: "update" },
  ];
  const change = { type: "item.completed", item: { id: "i", type: "file_change", changes, status: "completed" } };
  expect(read([change]).progress).toEqual(["write src/a.ts", "edit src/b.ts"]);
});

test.each([
  ["unexpected status 401 Unauthorized: invalid x-api-key, url: http://127.0.0.1:1/v1/responses", "provider"],
  ["exceeded retry limit, last status: 429 Too Many Requests", "provider"],
  ["unexpected status 402 Payment Required: budget of run is spent", "budget"],
  ["Codex ran out of room in the model's context window.", "agent"],
] as const)("a failed turn says why: %s", (message, because) => {
  expect(read([started, { type: "error", message }, { type: "turn.failed", error: { message } }]).ending).toEqual({
    kind: "failed",
    because,
    message,
  });
});

test("an error that was tried again is not the end", () => {
  expect(read([{ type: "error", message: "Reconnecting... 1/5" }, said("Done."), completed()]).ending).toMatchObject({ kind: "ended" });
});

test("a command that was declined, and nothing after it, is a failure", () => {
  const declined = read([command("declined"), said("All done."), completed()]).ending;
  expect(declined).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("npm test") });
  expect(read([command("declined"), command("completed"), said("Done."), completed()]).ending).toMatchObject({ kind: "ended" });
});

test("a session that is not there is told from other failures", () => {
  const noise = ["Error: thread/resume: thread/resume failed: no rollout found for thread id t-0 (code -32600)"];
  expect(read([], { noise }).ending).toMatchObject({ kind: "no-session" });
  expect(read([], { noise: ["Killed"] }).ending).toBeUndefined();
});

test("calls and tokens come from the session's file, call by call", () => {
  const { env } = codexHome(call(10), total(10), call(20), total(30));
  expect(read([started, completed(30)], { env }).reported).toEqual({ calls: 2, inputTokens: 30, cachedInputTokens: 2, outputTokens: 4 });
});

test("of a session taken up again only what was used since counts, though the turn's event has the whole session", () => {
  const { env, add } = codexHome(call(10), total(10));
  const { reader } = read([started, completed(32)], { env, resume: "t-1" });
  add(call(22), total(32));
  expect(reader.reported()).toEqual({ calls: 1, inputTokens: 22, cachedInputTokens: 1, outputTokens: 2 });
});

test("older files have running totals instead, some of them twice", () => {
  const { env, add } = codexHome(total(10));
  const { reader } = read([started], { env, resume: "t-1" });
  const more = (input: number) => ({
    type: "event_msg",
    payload: { type: "token_count", info: { total_token_usage: { ...tokens(input), output_tokens: 9 } } },
  });
  add(total(10), more(25), more(25), more(40));
  expect(reader.reported()).toEqual({ calls: 2, inputTokens: 30, cachedInputTokens: 0, outputTokens: 7 });
});

test("without a file a fresh turn's own figures count, and those of a session taken up again are not known", () => {
  const figures = { calls: 1, inputTokens: 11, cachedInputTokens: 5, outputTokens: 7 };
  expect(read([started, completed()]).reported).toEqual(figures);
  expect(read([started, completed()], { resume: "t-1" }).reported).toBeUndefined();
});

test("a session's name never leads out of the folder of sessions", () => {
  const { env } = codexHome(call(10));
  expect(read([{ type: "thread.started", thread_id: "../../t-1" }], { env }).reported).toBeUndefined();
});

test("events that are not known, and known ones of another shape, are passed over", () => {
  expect(read([{ type: "news" }, { type: "item.completed", item: { type: "todo_list" } }, { type: "turn.completed" }]).ending).toEqual({
    kind: "ended",
    summary: "",
  });
});
