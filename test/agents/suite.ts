import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { executorConformance } from "../../src/agents/conformance.ts";
import { createLocalHost, presets } from "../../src/agents/index.ts";
import { TRANSCRIPT_LIMIT_BYTES, type RealAgent } from "./catalogue.ts";
import { realScene, type RealScene } from "./driver.ts";

/** The conformance suite on a real agent, and that the gateway's bill is what the model counted. */
export function realAgentSuite(agent: RealAgent): void {
  const { name } = presets[agent.preset];
  let scene: RealScene;
  beforeAll(async () => void (scene = await realScene(agent)));
  afterAll(() => scene[Symbol.asyncDispose]());

  executorConformance(`${name}, for real,`, () => Promise.resolve(scene), {
    cannot: agent.cannot,
    transcriptLimitBytes: agent.transcriptLimitBytes ?? TRANSCRIPT_LIMIT_BYTES,
    patienceMs: 45_000,
  });

  test(`what ${name} spends is billed as the model counted it`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "stepfall-real-"));
    try {
      for (const part of ["tree", "home", "tmp"]) mkdirSync(join(folder, part));
      const before = scene.model.served().length;
      const { step, prompt, gateway } = await scene.arrange({ does: "write", path: "src/sum.js", content: "export {};\n" });
      const result = await scene.executor.execute(
        { attempt: `real-${process.pid}/bill#1`, runId: "real", step, prompt, feedback: [] },
        {
          host: createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text }),
          workspace: { tree: join(folder, "tree"), home: join(folder, "home"), tmp: join(folder, "tmp") },
          env: { PATH: process.env["PATH"] ?? "", HOME: join(folder, "home"), TMPDIR: join(folder, "tmp") },
          transcript: join(folder, "t.ndjson"),
          deadlineMs: 60_000,
          signal: new AbortController().signal,
          ...(gateway ? { gateway } : {}),
          progress: () => {},
        },
      );
      expect(result.kind, JSON.stringify(result)).toBe("ended");
      expect(readFileSync(join(folder, "tree/src/sum.js"), "utf8")).toBe("export {};\n");
      const bill = await scene.closeKey(gateway?.key ?? "");
      const calls = scene.model.served().slice(before);
      const sum = (field: "promptTokens" | "completionTokens") => calls.reduce((total, call) => total + call[field], 0);
      expect(calls.length).toBeGreaterThanOrEqual(2);
      expect(bill).toMatchObject({
        calls: calls.length,
        inputTokens: sum("promptTokens"),
        outputTokens: sum("completionTokens"),
        provenance: "reported",
      });
      expect(readFileSync(join(folder, "t.ndjson"), "utf8")).not.toContain("upstream-key");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
