import { mkdtempSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { confine, confinedHost, confinementOf, createLocalHost } from "../../src/agents/index.ts";
import { isolation, sandboxTitle } from "../../src/agents/sandbox/sandbox.testkit.ts";
import { realAgent } from "../agents/catalogue.ts";
import { realScene } from "../agents/driver.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PATH = process.env["PATH"] ?? "";

describe.skipIf(isolation.kind === "none")(sandboxTitle("a real agent works in the sandbox"), () => {
  test.each(["gemini", "qwen"] as const)("%s writes a file with the help of a model behind the gateway", async (preset) => {
    if (isolation.kind === "none") return;
    await using scene = await realScene(realAgent(preset));
    const folder = mkdtempSync(join(tmpdir(), "stepfall-real-"));
    try {
      const [tree, home, tmp] = ["tree", "home", "tmp"].map((name) => join(folder, name)) as [string, string, string];
      mkdirSync(tree);
      const { step, prompt, gateway } = await scene.arrange({ does: "write", path: "src/sum.js", content: "export {};\n" });
      const confinement = confinementOf({
        workspace: { tree, home, tmp },
        stepfallHome: folder,
        userHome: join(folder, "user"),
        project: join(folder, "project"),
        objects: [],
        caches: [],
        program: [root],
        path: PATH,
        network: { kind: "only", gatewayPort: Number(new URL(gateway?.url ?? "").port), domains: [] },
      });
      const local = createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text });
      const result = await scene.executor.execute(
        { attempt: `real-${process.pid}/sandbox#1`, runId: "real", step, prompt, feedback: [] },
        {
          host: confinedHost(local, await confine(confinement, isolation.tools)),
          workspace: { tree, home, tmp },
          env: { PATH, HOME: home, TMPDIR: tmp },
          transcript: join(folder, "t.ndjson"),
          deadlineMs: 60_000,
          signal: new AbortController().signal,
          ...(gateway ? { gateway } : {}),
          progress: () => {},
        },
      );
      expect(result.kind, `${JSON.stringify(result)}\n${readFileSync(join(folder, "t.ndjson"), "utf8")}`).toBe("ended");
      expect(readFileSync(join(tree, "src/sum.js"), "utf8")).toBe("export {};\n");
      expect(await scene.closeKey(gateway?.key ?? "")).toMatchObject({ provenance: "reported" });
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  });
});
