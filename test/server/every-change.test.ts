import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EventType, Recorded } from "../../src/domain/index.ts";
import type { ScriptedAnswer, ScriptedRequest } from "../../src/models/index.ts";
import { apiDocument } from "../../src/server/index.ts";
import { Merged, PromptPage } from "../../src/server/schemas/runs.ts";
import { scriptedScene } from "../acceptance/scripted-scene.testkit.ts";
import { serving, type Answer } from "./serving.testkit.ts";

/** What each route that changes something leaves in the journal of a run, in the name of whoever asked. One that is not here has to be put here. */
const leaves: Readonly<Record<string, EventType>> = {
  "/runs": "RunStarted",
  "/tasks": "RunStarted",
  "/samples": "RunStarted",
  "/runs/{runId}/again": "RunStarted",
  "/runs/{runId}/cancel": "CancelRequested",
  "/runs/{runId}/resume": "RunResumed",
  "/runs/{runId}/feedback": "FeedbackGiven",
  "/runs/{runId}/reassign": "StepReassigned",
  "/runs/{runId}/messages": "MessageSent",
  "/runs/{runId}/merge": "RunMerged",
  "/inbox/answer": "InboxAnswered",
};
/** Who comes and goes is no part of a run: it is in the system log. */
const logins = ["/login-links", "/logout"];

const key = "upstream-key-of-a-provider";
const secret = "sk-proj-4fT9xQ2LmN7vB1cR8wZ3";

/** Asks whether to go on, and does it. */
function answerOf({ toolResults, messages }: ScriptedRequest): ScriptedAnswer {
  const call = (name: string, input: unknown): ScriptedAnswer => ({ toolCalls: [{ name, arguments: input }] });
  if (!messages.some((m) => m.role === "tool" && m.content.includes("yes")))
    return call("ask", { question: "Go on?", choices: ["yes", "no"] });
  return toolResults < 2 ? call("write_file", { path: "out.txt", content: "done\n" }) : { text: "I wrote it." };
}

const files = (url: string): Record<string, string> => ({
  "stepfall.yaml": [
    "agents: { chatty: { executor: chat, model: made-up/m }, other: { executor: chat, model: made-up/m } }",
    `providers: { made-up: { url: "${url}", key-env: MADE_UP_API_KEY, prices: { m: { input: 1, output: 2 } } } }`,
    "",
  ].join("\n"),
  "work.yaml": [
    "name: work",
    "inputs: { who: { type: string } }",
    "steps:",
    `  work: { prompt: "Work for \${{ inputs.who }} with ${secret}", agent: chatty, outputs: [out.txt] }`,
    "",
  ].join("\n"),
});

test(
  "each route that changes something leaves an event with who asked; what was asked for happens to real runs",
  { timeout: 300_000 },
  async () => {
    const { paths } = apiDocument() as { paths: Record<string, Record<string, unknown>> };
    const changing = Object.entries(paths).flatMap(([path, methods]) => (Object.keys(methods).every((m) => m === "get") ? [] : [path]));
    expect([...Object.keys(leaves), ...logins].toSorted()).toEqual(changing.toSorted());

    await using all = await scriptedScene(answerOf, key, files);
    const { scene } = all;
    mkdirSync(scene.home, { recursive: true, mode: 0o700 });
    writeFileSync(join(scene.home, "secrets"), `MADE_UP_API_KEY=${key}\nMY_API_KEY=${secret}\n`, { mode: 0o600 });
    await using at = await serving(scene);
    const tried = new Set<string>();

    /** Asks as an operator, or as an approver where only these may; the route's event is in the run's journal with their name. */
    const change = async (
      route: string,
      runId: string | undefined,
      json: object,
      as: "operator" | "approver" = "operator",
    ): Promise<Answer> => {
      const answer = await at.ask(`/api/v1${route.replace("{runId}", runId ?? "")}`, { as, json });
      expect(answer.status, `${route}: ${answer.text}`).toBeLessThan(300);
      // Of a run that is started again the event is the new one's.
      const told = answer.json?.["runId"];
      const of = typeof told === "string" ? told : (runId ?? "");
      const events = await until(async () => {
        const found = (await eventsOf(of)).filter(({ event }) => event.type === leaves[route]);
        return found.length > 0 ? found : undefined;
      });
      expect(events.at(-1), route).toMatchObject({ actor: "api:tester" });
      tried.add(route);
      return answer;
    };
    const eventsOf = async (runId: string): Promise<Recorded[]> => at.control.events(runId, { limit: 1000 });
    const statusOf = async (runId: string): Promise<unknown> => (await at.ask(`/api/v1/runs/${runId}`, { as: "viewer" })).json?.["status"];
    const is = (runId: string, status: string) => until(async () => (await statusOf(runId)) === status || undefined);
    const asked = (runId: string, attempt: number) =>
      until(
        async () =>
          (await at.control.inbox()).find((item) => item.runId === runId && item.attempt === `${runId}/${item.step}#${attempt}`)?.item,
      );

    const started = await change("/runs", undefined, { project: scene.project, pipeline: { file: "work.yaml" }, inputs: { who: "ann" } });
    const runId = String(started.json?.["runId"]);
    await asked(runId, 1);
    expect((await at.ask(`/api/v1/runs/${runId}/again`, { as: "operator", json: {} })).json).toMatchObject({
      status: 409,
      code: "RUN_UNFINISHED",
    });
    expect((await at.ask(`/api/v1/runs/${runId}/merge`, { as: "approver", json: {} })).json).toMatchObject({
      status: 409,
      code: "RUN_UNFINISHED",
    });

    await change("/runs/{runId}/messages", runId, { step: "work", text: "Be quick" });
    await change("/runs/{runId}/reassign", runId, { step: "work", agent: "other" });
    await asked(runId, 2);
    const driver = (await at.control.agents()).attempts.find((attempt) => attempt.runId === runId)?.lease.holder ?? "";
    process.kill(Number(driver.split(":")[1]), "SIGKILL");
    await is(runId, "stopped");
    await change("/runs/{runId}/resume", runId, {});
    const open = await until(async () =>
      (await statusOf(runId)) === "stopped" ? undefined : (await at.control.inbox()).find((item) => item.runId === runId)?.item,
    );
    await change("/inbox/answer", runId, { item: open, verdict: "answer", text: "yes" }, "approver");
    await is(runId, "succeeded");
    await change("/runs/{runId}/feedback", runId, { step: "work", verdict: "right" });

    // What each attempt was told, without what nobody should read.
    for (const attempt of [1, 2]) {
      const { json, status } = await at.ask(
        `/api/v1/runs/${runId}/attempts/prompt?attempt=${encodeURIComponent(`${runId}/work#${attempt}`)}`,
        { as: "viewer" },
      );
      expect(status).toBe(200);
      const page = PromptPage.parse(json);
      expect(page).toMatchObject({ isTruncated: false, source: "transcript" });
      expect(page.text).toContain("Work for ann with ***");
      expect(page.text).not.toContain(secret);
    }
    expect(
      (await at.ask(`/api/v1/runs/${runId}/attempts/prompt?attempt=${encodeURIComponent(`${runId}/work#9`)}`, { as: "viewer" })).json,
    ).toMatchObject({
      status: 404,
      code: "ATTEMPT_UNKNOWN",
    });

    // The user's own file of that name stands in the way: it is named, and nothing is touched.
    scene.write({ "out.txt": "mine\n" });
    const before = scene.git("rev-parse", "HEAD");
    const refused = await at.ask(`/api/v1/runs/${runId}/merge`, { as: "approver", json: {} });
    expect(refused.json).toMatchObject({ status: 409, code: "MERGE_DIRTY", problems: [{ file: "out.txt" }] });
    expect(scene.git("rev-parse", "HEAD")).toBe(before);
    expect(readFileSync(join(scene.project, "out.txt"), "utf8")).toBe("mine\n");
    expect((await eventsOf(runId)).some(({ event }) => event.type === "RunMerged")).toBe(false);
    rmSync(join(scene.project, "out.txt"));
    expect((await at.ask(`/api/v1/runs/${runId}/merge`, { as: "operator", json: {} })).json).toMatchObject({ status: 403 });
    const both = await Promise.all([1, 2].map(() => at.ask(`/api/v1/runs/${runId}/merge`, { as: "approver", json: {} })));
    expect(both.map(({ json }) => json?.["already"]).toSorted()).toEqual([false, true]);
    const merged = Merged.parse((await change("/runs/{runId}/merge", runId, {}, "approver")).json);
    expect(merged).toEqual({ runId, into: "main", commit: scene.git("rev-parse", "HEAD"), already: true });
    expect((await eventsOf(runId)).filter(({ event }) => event.type === "RunMerged")).toHaveLength(1);
    expect(existsSync(join(scene.project, "out.txt"))).toBe(true);

    const again = String((await change("/runs/{runId}/again", runId, {})).json?.["runId"]);
    expect(again).not.toBe(runId);
    const begun = (await eventsOf(again))[0]?.event;
    expect(begun).toMatchObject({ data: { base: merged.commit, inputs: { who: "ann" }, pipeline: { name: "work" } } });
    await asked(again, 1);
    await change("/runs/{runId}/cancel", again, {});
    const task = await change("/tasks", undefined, { project: scene.project, tasks: ["Do it well"], agent: "chatty", noGates: true });
    await at.ask(`/api/v1/runs/${String(task.json?.["runId"])}/cancel`, { as: "operator", json: {} });

    // The sample asks a person before it goes on, and has an answer from them.
    const sample = String((await change("/samples", undefined, {})).json?.["runId"]);
    const question = await until(async () => (await at.control.inbox()).find((item) => item.runId === sample));
    expect(question).toMatchObject({ kind: "approval", step: "agree", pipeline: "fix-and-approve" });
    await at.ask("/api/v1/inbox/answer", { as: "approver", json: { item: question.item, verdict: "approve" } });
    await is(sample, "succeeded");
    expect([...tried].toSorted()).toEqual(Object.keys(leaves).toSorted());
  },
);

/** Looks until there is an answer. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 90_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error("it did not come to that");
}
