import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { keeperHost, until, withMarker } from "../../src/agents/keeper/keeper.testkit.ts";
import { isolation, SandboxScene, sandboxTitle } from "../../src/agents/sandbox/sandbox.testkit.ts";

describe.skipIf(isolation.kind === "none")(sandboxTitle("an agent in a sandbox that a keeper owns"), () => {
  test("reaches the gateway while no engine is there, and is taken up with all it said", async () => {
    using scene = new SandboxScene();
    const gateway = createServer((_, response) => response.end("from the gateway\n")).listen(0, "127.0.0.1");
    await once(gateway, "listening");
    const { port } = gateway.address() as AddressInfo;
    const confine = await scene.confine({ kind: "only", gatewayPort: port, domains: [] });
    const keepers = keeperHost(scene.stepfallHome);
    try {
      {
        await using first = keepers.forAttempt({ attempt: scene.attempt, epoch: 1, takeUp: false });
        const command = `echo ready; while [ ! -e go ]; do sleep 0.05; done; curl -sS http://127.0.0.1:${port}/; ls ${scene.stepfallHome}`;
        const handle = await first.spawn(scene.spec(command, { confine, transcript: join(scene.folder, "kept.ndjson") }));
        for await (const line of handle.lines()) if (line.text === "ready") break;
      }
      writeFileSync(join(scene.tree, "go"), "");
      await until(() => keepers.kept(scene.attempt)[0]?.state.kind === "ended");
      await using second = keepers.forAttempt({ attempt: scene.attempt, epoch: 2, takeUp: true });
      const handle = await second.spawn(scene.spec("", { confine }));
      expect(await handle.settle()).toMatchObject({ kind: "exited", code: 0 });
      const said = readFileSync(join(scene.folder, "kept.ndjson"), "utf8").trim().split("\n");
      // Of STEPFALL_HOME it sees what is its own: neither keepers nor processes.
      expect(said.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(["ready", "from the gateway", "cache", "workspaces"]);
    } finally {
      await keepers.forget(scene.attempt);
      gateway.close();
    }
    expect(withMarker(scene.attempt)).toEqual([]);
  });

  test("is gone with its keeper when that is killed", async () => {
    using scene = new SandboxScene();
    const confine = await scene.confine({ kind: "only", gatewayPort: 4711, domains: [] });
    const keepers = keeperHost(scene.stepfallHome);
    await using host = keepers.forAttempt({ attempt: scene.attempt, epoch: 1, takeUp: false });
    const handle = await host.spawn(scene.spec("(trap '' TERM; setsid sleep 1000 &) ; echo ready; sleep 1000", { confine }));
    for await (const line of handle.lines()) if (line.text === "ready") break;
    process.kill(keepers.kept(scene.attempt)[0]?.keeper?.pid as number, "SIGKILL");
    await expect(handle.settle()).rejects.toMatchObject({ code: "AGENT_KEEPER_LOST" });
    expect(withMarker(scene.attempt)).toEqual([]);
    await keepers.forget(scene.attempt);
  });
});
