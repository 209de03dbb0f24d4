import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startReceiver } from "../engine/receiver.testkit.ts";
import { Scene } from "./cli.testkit.ts";

interface Line {
  level: string;
  process: string;
  event: string;
  message: string;
  run?: string;
  trace_id?: string;
  data?: Record<string, unknown>;
}

const pipeline = "name: small\nsteps:\n  a: { command: echo hi > a.txt, outputs: [a.txt] }\n";

async function logOf(scene: Scene, ...more: string[]): Promise<Line[]> {
  return (await scene.json("logs", "--system", ...more)).values as unknown as Line[];
}

describe("the log of Stepfall's own processes", { timeout: 240_000 }, () => {
  test("has what a run's driver had nowhere to say, in the run's trace, and sends it to the telemetry's endpoint on request", async () => {
    await using receiver = await startReceiver();
    await using scene = new Scene({ "p.yaml": pipeline });
    mkdirSync(scene.home, { recursive: true });
    writeFileSync(
      join(scene.home, "config.yaml"),
      [
        `telemetry: { endpoint: "${receiver.url}" }`,
        "log: { otlp: true }",
        "hooks: [{ name: gone, on: RunStarted, run: 'echo the-key-is-$MY_TOKEN >&2; exit 3', secrets: [MY_TOKEN], retries: 0 }]",
      ].join("\n"),
    );
    const ended = await scene.run(["run", "p.yaml"], { env: { MY_TOKEN: "kept-to-itself" } });
    expect(ended.code, ended.stderr).toBe(0);
    const lines = await logOf(scene);
    expect(lines.map((l) => [l.process, l.level, l.event])).toEqual([
      ["driver", "info", "drive-began"],
      ["driver", "info", "hook-failed"],
      ["driver", "warn", "hook-gave-up"],
      ["driver", "info", "drive-ended"],
    ]);
    expect(JSON.stringify(lines)).not.toContain("kept-to-itself");
    expect(lines[2]?.message).toBe("hook gone: RunStarted was not delivered after 1 try: exit code 3: the-key-is-***");
    expect(new Set(lines.map((l) => l.trace_id)).size).toBe(1);
    const sent = receiver.received.filter((r) => r.path === "/v1/logs").map((r) => JSON.stringify(r.body));
    expect(sent.join()).toContain("stepfall.hook-gave-up");
    expect(sent.join()).toContain(lines[0]?.trace_id);

    // Of one run, from a level on, the last of them; for a person, one line each.
    expect(await logOf(scene, lines[0]?.run ?? "", "--level", "warn")).toHaveLength(1);
    expect(await logOf(scene, "--last", "1")).toMatchObject([{ event: "drive-ended" }]);
    const text = await scene.run(["logs", "--system", "--level", "warn"]);
    expect(text.stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d warn {2}driver\[\d+\] hook-gave-up \S+: hook gone: .*\(.*tries=1\)\n$/);
    expect((await scene.run(["logs", "--level", "warn"])).stderr).toContain("Give --system with them");
    expect((await scene.run(["logs", "--system", "--level", "loud"])).code).toBe(2);
  });

  test("of a server has who came in, who was turned away and why, and never the secret of a link or a token", async () => {
    await using scene = new Scene();
    const up = scene.start(["up", "--port", "0", "--json"]);
    let told = "";
    up.child.stdout?.on("data", (text: string) => (told += text));
    await expect.poll(() => told.includes("\n"), { timeout: 60_000 }).toBe(true);
    const { url, link } = JSON.parse(told.split("\n")[0] ?? "") as { url: string; link: string };
    await fetch(link, { redirect: "manual" });
    await fetch(link, { redirect: "manual" });
    await fetch(`${url}/api/v1/runs?secret=in-the-query`, { headers: { authorization: "Bearer wrong-and-secret" } });
    await fetch(`${url}/api/v1/runs`, { method: "POST", headers: { origin: "https://evil.example" } });
    const follow = scene.start(["logs", "--system", "--follow"]);
    let seen = "";
    follow.child.stdout?.on("data", (text: string) => (seen += text));
    await expect.poll(() => seen, { timeout: 60_000 }).toContain("CROSS_ORIGIN");
    up.child.kill("SIGTERM");
    await up.ended;
    await expect.poll(() => seen, { timeout: 60_000 }).toContain("server-ended");
    follow.child.kill("SIGKILL");
    const lines = await logOf(scene);
    expect(lines.map((l) => [l.process, l.level, l.event, l.data?.["code"] ?? l.data?.["role"] ?? null])).toEqual([
      ["server", "info", "server-began", null],
      ["server", "info", "login-link", "approver"],
      ["server", "info", "login", "approver"],
      ["server", "warn", "request-403", "LINK_USED"],
      ["server", "warn", "request-401", "NOT_LOGGED_IN"],
      ["server", "warn", "request-403", "CROSS_ORIGIN"],
      ["server", "info", "server-ended", null],
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/wrong-and-secret|in-the-query|token=/);
  });

  test("says that a driver died and who went on; a log that cannot be written stops nothing", async () => {
    await using scene = new Scene();
    const go = join(scene.folder, "go");
    scene.write({ "held.yaml": `steps:\n  held: { command: "until [ -f ${go} ]; do sleep 0.1; done", readonly: true }\n` });
    scene.git("add", "--all");
    scene.git("commit", "--quiet", "--message", "held");
    const killed = scene.start(["run", "held.yaml"]);
    await killed.said("held#1 started");
    killed.child.kill("SIGKILL");
    await killed.ended;
    writeFileSync(go, "");
    const resumed = await scene.run(["resume"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    const lines = await logOf(scene);
    expect(lines.map((l) => [l.level, l.event])).toEqual([
      ["info", "drive-began"],
      ["warn", "driver-replaced"],
      ["info", "drive-began"],
      ["info", "drive-ended"],
    ]);
    expect(new Set(lines.map((l) => l.trace_id)).size).toBe(1);
    expect(lines[1]?.message).toContain(`:${killed.child.pid}:`);
    // A file lies where its folder was.
    rmSync(join(scene.home, "logs"), { recursive: true });
    writeFileSync(join(scene.home, "logs"), "");
    expect((await scene.run(["run", "held.yaml"])).code).toBe(0);
    // And none at all is written where the settings say so.
    rmSync(join(scene.home, "logs"));
    expect((await scene.run(["run", "held.yaml"], { env: { STEPFALL_LOG_LEVEL: "off" } })).code).toBe(0);
    expect(existsSync(join(scene.home, "logs"))).toBe(false);
  });
});
