import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { CostView, GatesView } from "../../src/server/schemas/ledger.ts";
import { AgentsView, Doctor, Me, Settings } from "../../src/server/schemas/machine.ts";
import {
  Answered,
  Cancelled,
  DiffPage,
  Events,
  FeedbackTaken,
  Inbox,
  LogPage,
  Overview,
  RunReport,
  Runs,
} from "../../src/server/schemas/runs.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { serving, type Answer, type Serving } from "./serving.testkit.ts";

/** Real runs, started and steered over HTTP. Every answer is what openapi.json says, and holds nothing that it does not say. */

let scene: Scene;
let at: Serving;

const approved = `name: approved
steps:
  a: { command: "echo a > a.txt; echo one; echo two; echo three; sleep 0.5", outputs: [a.txt], gates: ["test -s a.txt"] }
  ok: { approve: "Shall a.txt stay?", needs: [a] }
  ask: { ask: { question: "Which way?", choices: [left, right] } }
  b: { command: "cat a.txt", needs: [ok], readonly: true }
  c: { command: "echo c", needs: [b], readonly: true }
`;

beforeAll(async () => {
  scene = new Scene({ "approved.yaml": approved, "slow.yaml": 'steps:\n  slow: { command: "echo here; sleep 60", readonly: true }\n' });
  at = await serving(scene);
});
afterAll(async () => {
  await at[Symbol.asyncDispose]();
  await scene[Symbol.asyncDispose]();
});

const fits = <T extends z.ZodType>(schema: T, { status, json, text }: Answer): z.output<T> => {
  expect(status, text).toBeLessThan(300);
  const parsed = schema.parse(json);
  expect(parsed).toEqual(json);
  return parsed;
};
const get = (path: string) => at.ask(`/api/v1${path}`, { as: "viewer" });
const post = (path: string, json: unknown) => at.ask(`/api/v1${path}`, { as: "approver", json });
const started = async (json: object): Promise<string> => {
  const answer = await post("/runs", { project: scene.project, ...json });
  expect(answer.status, answer.text).toBe(202);
  return String(answer.json?.["runId"]);
};
const until = async (runId: string, isIt: (report: z.output<typeof RunReport>) => boolean): Promise<z.output<typeof RunReport>> => {
  for (;;) {
    const report = fits(RunReport, await get(`/runs/${runId}`));
    if (isIt(report)) return report;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

test(
  "a run is started, seen to wait, approved and answered, looked at from all sides, and told right or wrong",
  { timeout: 180_000 },
  async () => {
    const runId = await started({ pipeline: { file: "approved.yaml" } });
    const waiting = await until(runId, (report) => report.waiting.length === 2);
    expect(waiting.steps.map(({ id, status }) => [id, status])).toContainEqual(["a", "completed"]);
    const { items } = fits(Inbox, await get("/inbox"));
    // What unblocks most comes first, though the question was there before.
    expect(items.map(({ step, unblocks, kind, project }) => ({ step, unblocks, kind, project }))).toEqual([
      { step: "ok", unblocks: 2, kind: "approval", project: scene.project },
      { step: "ask", unblocks: 0, kind: "question", project: scene.project },
    ]);
    const overview = fits(Overview, await get("/overview"));
    expect(overview).toMatchObject({ waiting: 2, projects: [{ path: scene.project, name: "project" }] });
    expect(overview.runs.map((run) => run.runId)).toEqual([runId]);
    expect(fits(Me, await get("/me"))).toMatchObject({ role: "viewer", actor: "api:tester", version: "1.2.3" });

    expect((await post("/inbox/answer", { item: `${runId}/ask!1`, verdict: "answer", text: "up" })).json).toMatchObject({
      status: 409,
      code: "ANSWER_REFUSED",
    });
    const answered = fits(Answered, await post("/inbox/answer", { item: `${runId}/ok!1`, verdict: "approve" }));
    expect(answered).toEqual({ runId, item: `${runId}/ok!1`, stillNeeded: 0, driven: true });
    expect(fits(Answered, await post("/inbox/answer", { item: "ask!1", verdict: "answer", text: "left" })).driven).toBe(true);
    const over = await until(runId, (report) => report.status === "succeeded");
    expect((await post("/inbox/answer", { item: `${runId}/ok!1`, verdict: "approve" })).json).toMatchObject({
      status: 409,
      code: "ITEM_CLOSED",
    });
    expect(over.diff?.files).toEqual([{ path: "a.txt", added: 1, removed: 0, binary: false }]);

    // A page at a time is all of it, once.
    const all = fits(LogPage, await get(`/runs/${runId}/logs`)).lines;
    const paged: typeof all = [];
    for (let after = "", isOver = false; !isOver;) {
      const page = fits(LogPage, await get(`/runs/${runId}/logs?limit=1&after=${after}`));
      paged.push(...page.lines);
      ({ next: after, isOver } = page);
    }
    expect(paged).toEqual(all);
    expect(fits(LogPage, await get(`/runs/${runId}/logs?step=a&role=agent`)).lines.map((line) => line.text)).toEqual([
      "one",
      "two",
      "three",
    ]);

    const attempt = encodeURIComponent(`${runId}/a#1`);
    for (const of of ["", "?step=a", `?attempt=${attempt}`, "?file=a.txt"])
      expect(fits(DiffPage, await get(`/runs/${runId}/diff${of}`))).toMatchObject({ files: [{ path: "a.txt" }], isTruncated: false });
    expect(fits(DiffPage, await get(`/runs/${runId}/diff?maxBytes=40`)).isTruncated).toBe(true);
    expect(fits(DiffPage, await get(`/runs/${runId}/diff?step=b`))).toEqual({ text: "", files: [], isTruncated: false });
    const report = await get(`/runs/${runId}/report.md`);
    expect(report.headers["content-type"]).toMatch(/^text\/markdown/);
    expect(report.text).toContain("approved");

    expect(fits(FeedbackTaken, await post(`/runs/${runId}/feedback`, { step: "a", verdict: "wrong", because: "it is too short" }))).toEqual(
      {
        attempt: `${runId}/a#1`,
        gates: "accepted",
      },
    );
    expect(fits(GatesView, await get("/gates")).gates[0]).toMatchObject({
      name: "test -s a.txt",
      verdicts: { passed: 1, refused: 0, errored: 0 },
    });
    expect(fits(CostView, await get("/cost?by=step&since=1d")).by).toBe("step");
    expect(fits(AgentsView, await get(`/agents?project=${encodeURIComponent(scene.project)}`)).agents.map(({ id }) => id)).toContain(
      "shell",
    );
    expect(fits(Settings, await get("/settings")).home).toBe(scene.home);
    const { runs } = fits(Runs, await get(`/runs?status=succeeded&before=${"z".repeat(26)}&limit=1`));
    expect(runs.map((run) => run.waitedForPeopleMs > 0 && run.waitedForPeopleMs <= run.durationMs)).toEqual([true]);
    expect(fits(Runs, await get(`/runs?before=${runId}`)).runs).toEqual([]);

    // Everything that people did is in the journal in their name.
    const { events } = await keptBy(scene);
    const by = events.flatMap(({ actor, event }) => (actor === "engine" ? [] : [[event.type, actor]]));
    expect(by).toEqual([
      ["RunStarted", "api:tester"],
      ["InboxAnswered", "api:tester"],
      ["InboxAnswered", "api:tester"],
      ["FeedbackGiven", "api:tester"],
    ]);
    const first = fits(Events, await get(`/runs/${runId}/events?limit=3`));
    const second = fits(Events, await get(`/runs/${runId}/events?after=${first.last}`));
    expect([...first.events, ...second.events].map((event) => event.version)).toEqual(events.map((event) => event.version));
  },
);

test("a run that is cancelled ends for good; one whose process was killed is resumed", { timeout: 180_000 }, async () => {
  const runId = await started({ pipeline: { file: "slow.yaml" } });
  expect((await post(`/runs/${runId}/resume`, {})).json).toMatchObject({ status: 409, code: "RUN_DRIVEN" });
  await until(runId, ({ steps }) => steps[0]?.attempts[0]?.phase === "running");
  const [attempt] = (await at.control.agents()).attempts;
  process.kill(Number(attempt?.lease.holder.split(":")[1]), "SIGKILL");
  await until(runId, (report) => report.status === "stopped");
  expect((await post(`/runs/${runId}/resume`, {})).status).toBe(202);
  await until(runId, (report) => report.status === "running");
  expect(fits(Cancelled, await post(`/runs/${runId}/cancel`, { reason: "enough" }))).toEqual({ runId, outcome: "cancelled" });
  expect((await post(`/runs/${runId}/resume`, {})).json).toMatchObject({ status: 409, code: "RUN_OVER" });
  const asked = (await keptBy(scene)).of("CancelRequested");
  expect(asked).toMatchObject([{ data: { reason: "enough" } }]);
});

test(
  "a pipeline that is only text runs; one that is wrong is refused with its faults, a file outside of the project by name",
  { timeout: 120_000 },
  async () => {
    const yaml = 'steps:\n  say: { command: "echo $0", readonly: true }\n';
    const runId = await started({ pipeline: { yaml }, budget: 0.5 });
    await until(runId, (report) => report.status === "succeeded" && report.budget === 500_000);
    const bad = await post("/runs", { project: scene.project, pipeline: { yaml: "steps:\n  a: { commando: x }\n" } });
    expect(bad.json).toMatchObject({
      status: 422,
      problems: expect.arrayContaining([expect.objectContaining({ file: "pipeline", line: 2, code: "UNKNOWN_KEY" })]) as unknown,
    });
    writeFileSync(join(scene.folder, "outside.yaml"), yaml);
    for (const file of ["../outside.yaml", join(scene.folder, "outside.yaml")])
      expect((await post("/runs", { project: scene.project, pipeline: { file } })).json, file).toMatchObject({
        status: 400,
        code: "USAGE",
      });
    expect((await post("/runs", { project: join(scene.folder, "nowhere"), pipeline: { yaml } })).json).toMatchObject({
      status: 400,
      code: "USAGE",
    });
    expect((await get(`/settings?project=${encodeURIComponent("/etc")}`)).json).toMatchObject({ status: 404, code: "PROJECT_UNKNOWN" });
    expect((await get(`/runs/${runId}/logs?after=..%2F..`)).json).toMatchObject({ status: 400 });
    // Options in what is given stay what is given.
    const tasks = await post("/tasks", { project: scene.project, tasks: ["--help"], gates: ["true"] });
    expect(tasks.json).toMatchObject({ code: expect.not.stringMatching(/^USAGE$/) as string });
  },
);

test("the doctor is asked by operators only, and its answer is the command's", { timeout: 120_000 }, async () => {
  expect((await get("/doctor")).json).toMatchObject({ status: 403 });
  expect(fits(Doctor, await at.ask("/api/v1/doctor", { as: "operator" })).checks.map((check) => check.name)).toContain("git");
});

test("a secret that a person types is in no journal and in no answer", { timeout: 60_000 }, async () => {
  const token = "sk-proj-4fT9xQ2LmN7vB1cR8wZ3";
  writeFileSync(join(scene.home, "secrets"), `MY_API_KEY=${token}\n`, { mode: 0o600 });
  await using fresh = await serving(scene);
  const run = (await fresh.control.runs())[0];
  await fresh.ask(`/api/v1/runs/${run?.runId ?? ""}/feedback`, {
    as: "operator",
    json: { step: "say", verdict: "right", because: `it printed ${token}` },
  });
  const { events } = await keptBy(scene);
  expect(JSON.stringify(events)).toContain("it printed ***");
  expect(JSON.stringify(events)).not.toContain(token);
  expect(readFileSync(join(scene.home, "secrets"), "utf8")).toContain(token);
});
