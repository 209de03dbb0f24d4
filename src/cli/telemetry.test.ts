import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startReceiver } from "../engine/receiver.testkit.ts";
import { Scene } from "./cli.testkit.ts";

const script = {
  rules: [
    {
      turns: [{ toolCalls: [{ name: "run_command", arguments: { command: "echo $TRACEPARENT > trace.txt" } }] }, { text: "Done" }],
    },
  ],
};

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
}

test("a run is one trace, its agent is told where it stands in it, and headers come from a secret", { timeout: 180_000 }, async () => {
  await using receiver = await startReceiver();
  await using scene = new Scene({
    "stepfall.yaml": "agents: { coder: { executor: chat, model: made-up/m } }\nproviders: { made-up: { script: answers.json } }\n",
    "answers.json": JSON.stringify(script),
    "p.yaml": "steps: { work: { prompt: Write trace.txt, outputs: [trace.txt], gates: ['test -s trace.txt'], retry: 1 } }\n",
  });
  mkdirSync(scene.home, { recursive: true });
  writeFileSync(join(scene.home, "config.yaml"), `telemetry: { endpoint: "${receiver.url}", headers-secret: OTLP_AUTH }\n`);
  const ended = await scene.run(["run", "p.yaml"], { env: { OTLP_AUTH: "x-api-key=the-key-of-otlp" } });
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  expect(ended.stderr).not.toContain("telemetry:");
  type Body = { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
  const spans = receiver.received
    .filter((r) => r.path === "/v1/traces")
    .flatMap((r) => (r.body as Body).resourceSpans.flatMap((x) => x.scopeSpans.flatMap((y) => y.spans)));
  expect(spans.map((s) => s.name).toSorted()).toEqual([
    "chat m",
    "chat m",
    "gate test -s trace.txt",
    "invoke_agent coder",
    expect.stringMatching(/^invoke_workflow /),
    "step work",
  ]);
  expect(new Set(spans.map((s) => s.spanId)).size).toBe(6);
  const attempt = spans.find((s) => s.name === "invoke_agent coder");
  const branch = scene.git("branch", "--list", "stepfall/*", "--format=%(refname:short)");
  expect(scene.git("show", `${branch}:trace.txt`)).toBe(`00-${attempt?.traceId ?? ""}-${attempt?.spanId ?? ""}-01`);
  expect(receiver.received[0]?.headers["x-api-key"]).toBe("the-key-of-otlp");
});
