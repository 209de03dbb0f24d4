import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createLocalHost } from "../../src/agents/index.ts";
import type { GatewayClient } from "../../src/models/index.ts";
import { childrenOf, endProcess, until } from "../../src/models/gateway/gateway.testkit.ts";
import { realAgent } from "./catalogue.ts";
import { realScene, treeIn } from "./driver.ts";

const usage = { promptTokens: 11, completionTokens: 7 };

/** Resolves when another one answers. */
async function killAll(gateway: GatewayClient): Promise<void> {
  const { pid, url } = gateway;
  await new Promise((resolve) => setTimeout(resolve, 300));
  await endProcess(pid);
  await until(() => gateway.pid !== pid);
  await until(async () => (await fetch(`${url}/v1/models`).catch(() => undefined)) !== undefined);
}

test.each(["gemini", "qwen"] as const)(
  "%s finishes its step though the gateway is killed twice under it, and the bill is whole",
  async (preset) => {
    const agent = realAgent(preset);
    await using scene = await realScene(agent);
    const folder = mkdtempSync(join(tmpdir(), "stepfall-real-"));
    try {
      for (const part of ["tree", "home", "tmp"]) mkdirSync(join(folder, part));
      const { step, prompt, gateway } = await scene.arrange({ does: "lie" });
      const { pid } = scene.gateway;
      const go = join(folder, "go");
      const kills: Promise<void>[] = [];
      scene.script(({ toolResults, body }) => {
        const work = (command: string) => ({ text: "Working.", toolCalls: [agent.shell(command)], usage });
        if (toolResults === 0) {
          // While its tool runs. The agent asks again soon, and waits in the holder for the next worker.
          setTimeout(() => childrenOf(pid).forEach((worker) => process.kill(worker, "SIGKILL")), 300);
          return work(`sleep 0.5; echo one > ${treeIn(body)}/one.txt`);
        }
        if (toolResults === 1) {
          // All of it: the engine starts another at the same address. These agents take a refused connection for the end.
          kills.push(killAll(scene.gateway).then(() => writeFileSync(go, "")));
          return work(`while [ ! -e ${go} ]; do sleep 0.1; done; echo two > ${treeIn(body)}/two.txt`);
        }
        return { text: "I wrote both.", usage };
      });
      const result = await scene.executor.execute(
        { attempt: `real-${process.pid}/restart#1`, runId: "real", step, prompt, feedback: [] },
        {
          host: createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text }),
          workspace: { tree: join(folder, "tree"), home: join(folder, "home"), tmp: join(folder, "tmp") },
          env: { PATH: process.env["PATH"] ?? "", HOME: join(folder, "home"), TMPDIR: join(folder, "tmp") },
          transcript: join(folder, "t.ndjson"),
          deadlineMs: 50_000,
          signal: new AbortController().signal,
          ...(gateway ? { gateway } : {}),
          progress: () => {},
        },
      );
      await Promise.all(kills);
      expect(result, JSON.stringify(result)).toMatchObject({ kind: "ended" });
      expect(readFileSync(join(folder, "tree/one.txt"), "utf8")).toBe("one\n");
      expect(readFileSync(join(folder, "tree/two.txt"), "utf8")).toBe("two\n");
      expect(scene.gateway.pid).not.toBe(pid);
      const bill = await scene.closeKey(gateway?.key ?? "");
      const calls = scene.model.served();
      expect(calls.length).toBeGreaterThanOrEqual(3);
      expect(bill).toMatchObject({ calls: calls.length, provenance: "reported" });
      expect(bill.outputTokens).toBe(calls.reduce((sum, call) => sum + call.completionTokens, 0));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
