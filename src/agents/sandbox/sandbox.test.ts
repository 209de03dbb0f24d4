import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openBridge } from "./bridge.ts";
import { detectIsolation } from "./detect.ts";
import { isolation, SandboxScene, sandboxTitle } from "./sandbox.testkit.ts";

const nothing = { kind: "only", domains: [] } as const;

async function serve(answer: string, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((incoming, response) => response.end(`${answer} ${incoming.method} ${incoming.url}`));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

const running = (marker: string): string[] =>
  execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(marker));

describe("what isolation is there", () => {
  const canStart = spawnSync("sh", ["-c", "bwrap --unshare-all --ro-bind / / true && socat -V"]).status === 0;
  test.skipIf(!canStart)("is a sandbox on a machine where bwrap can start a program", () => {
    expect(isolation).toMatchObject({ kind: "sandbox", by: expect.stringMatching(/^bubblewrap \d/) });
  });

  test("is said of a machine without the programs, with what to install", async () => {
    expect(await detectIsolation({ path: "/nowhere:relative" })).toMatchObject({
      kind: "none",
      why: "bwrap and socat not found",
      mend: expect.stringContaining("apt-get install bubblewrap socat"),
    });
  });

  test("is said of a system that is not supported", async () => {
    expect(await detectIsolation({ path: "/usr/bin", platform: "darwin" })).toMatchObject({
      kind: "none",
      why: expect.stringContaining("not supported yet"),
    });
  });

  test.skipIf(isolation.kind === "none")("is found out by trying: a bwrap that is there and may not start anything is none", async () => {
    using scene = new SandboxScene();
    const bin = join(scene.folder, "bin");
    scene.write(join(bin, "socat"), "#!/bin/sh\n");
    scene.write(
      join(bin, "bwrap"),
      '#!/bin/sh\n[ "$1" = --help ] && exec /usr/bin/bwrap --help\necho "bwrap: No permissions to create new namespace" >&2; exit 1\n',
    );
    execFileSync("chmod", ["+x", join(bin, "bwrap"), join(bin, "socat")]);
    expect(await detectIsolation({ path: bin })).toMatchObject({
      kind: "none",
      why: expect.stringContaining("No permissions to create new namespace"),
    });
    // One that starts the program and keeps nothing from it.
    scene.write(
      join(bin, "bwrap"),
      '#!/bin/sh\n[ "$1" = --help ] && exec /usr/bin/bwrap --help\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n',
    );
    expect(await detectIsolation({ path: bin })).toMatchObject({ kind: "none", why: expect.stringContaining("a hidden file can be read") });
  });
});

describe.skipIf(isolation.kind === "none")(sandboxTitle("in the sandbox"), () => {
  let scene: SandboxScene;
  const servers: Server[] = [];
  beforeEach(() => void (scene = new SandboxScene()));
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    scene[Symbol.dispose]();
  });

  test("work goes on as outside: git, files, HOME, caches, temporary files, sockets", async () => {
    const confine = await scene.confine(nothing);
    const { stdout, stderr, exit } = await scene.run(
      [
        "git log --format=%s; echo new > b.txt; git add b.txt",
        "git -c user.name=a -c user.email=a@localhost commit -qm second; git log --format=%s | wc -l",
        `echo kept > ~/config; echo kept > "$TMPDIR/t"; echo kept > "${scene.caches}/c"`,
        "echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin",
        `node -e 'const s=require("net").createServer(c=>c.end("by path")).listen("s.sock",()=>require("net").connect("s.sock").on("close",()=>s.close()).pipe(process.stdout))'`,
        `node -e 'const s=require("http").createServer((q,r)=>r.end("by port")).listen(0,"127.0.0.1",async()=>{console.log(await (await fetch("http://127.0.0.1:"+s.address().port)).text());s.close();s.closeAllConnections()})'`,
      ].join("\n"),
      { confine, input: "from stdin\n" },
    );
    expect(exit, stderr).toMatchObject({ kind: "exited", code: 0 });
    expect(stdout.split("\n")).toEqual(["first", "2", "out", "from stdin", "by pathby port"]);
    expect(stderr).toBe("err");
    for (const path of [join(scene.home, "config"), join(scene.tmp, "t"), join(scene.caches, "c")])
      expect(readFileSync(path, "utf8")).toBe("kept\n");
  });

  test("the environment is what it is outside, and the program has no children that it did not start", async () => {
    const confine = await scene.confine({ kind: "only", gatewayPort: 4711, domains: [] });
    const command = 'env | sort; read -r c </proc/$$/task/$$/children; echo "[$c]"';
    const [inside, outside] = [await scene.run(command, { confine }), await scene.run(command)];
    expect(inside.stdout).toBe(outside.stdout);
  });

  test("the gateway is reached at its own address, also when it was restarted meanwhile", async () => {
    const first = await serve("first");
    const confine = await scene.confine({ kind: "only", gatewayPort: first.port, domains: [] });
    const url = `http://127.0.0.1:${first.port}`;
    const handle = await scene.host.spawn(
      scene.spec(`curl -sS ${url}/a; echo; while [ ! -e again ]; do sleep 0.05; done; curl -sS ${url}/gone; curl -sS -d x ${url}/b; echo`, {
        confine,
      }),
    );
    const lines = handle.lines()[Symbol.asyncIterator]();
    expect((await lines.next()).value).toMatchObject({ text: "first GET /a" });
    first.server.closeAllConnections();
    first.server.close();
    const second = await serve("second", first.port);
    servers.push(second.server);
    scene.write(join(scene.tree, "again"), "");
    expect((await lines.next()).value).toMatchObject({ text: "second GET /gonesecond POST /b" });
    expect(await lines.next()).toMatchObject({ done: true });
    expect(await handle.settle()).toMatchObject({ kind: "exited", code: 0 });
  });

  test("a stream of megabytes passes whole, both ways, and a gateway that is not there is an error", async () => {
    const server = createServer((incoming, response) => incoming.pipe(response)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const confine = await scene.confine({ kind: "only", gatewayPort: port, domains: [] });
    const command = `head -c 8000000 /dev/urandom > sent; curl -sS -T sent http://127.0.0.1:${port}/ -o got; cmp sent got && echo same`;
    expect(await scene.run(command, { confine })).toMatchObject({ stdout: "same", exit: { code: 0 } });
    server.closeAllConnections();
    server.close();
    expect((await scene.run(`curl -sS -m 5 http://127.0.0.1:${port}/`, { confine })).exit).toMatchObject({
      kind: "exited",
      code: expect.any(Number),
    });
    expect((await scene.run(`curl -sS -m 5 http://127.0.0.1:${port}/`, { confine })).exit).not.toMatchObject({ code: 0 });
  });

  test("domains that the project allows are reached through a proxy, and no others", async () => {
    const { server, port } = await serve("allowed");
    servers.push(server);
    const other = await serve("other");
    servers.push(other.server);
    // An address that is listed as such is meant; a name must not lead to this machine.
    const confine = await scene.confine({ kind: "only", domains: [`127.0.0.1:${port}`, `localhost:${port}`] });
    const env = { ...scene.spec("").env, NO_PROXY: "none", no_proxy: "none" };
    const through = async (how: string, to: string) =>
      (await scene.run(`curl -sS -m 5 ${how} --noproxy '' http://${to}/x 2>&1`, { confine, env })).stdout;
    expect(await through("", `127.0.0.1:${port}`)).toBe("allowed GET /x");
    expect(await through("--proxytunnel", `127.0.0.1:${port}`)).toBe("allowed GET /x");
    for (const how of ["", "--proxytunnel"])
      for (const to of [`localhost:${port}`, `127.0.0.1:${other.port}`, "example.com"])
        expect(await through(how, to), `${how} ${to}`).toMatch(/not among the domains|403/);
  });

  test("with the network open, it is the machine's", async () => {
    const { server, port } = await serve("seen");
    servers.push(server);
    const confine = await scene.confine({ kind: "open" });
    expect((await scene.run(`curl -sS http://127.0.0.1:${port}/; cat ${scene.userHome}/x`, { confine })).stdout).toBe("seen GET /");
  });

  test("an agent's own login can be used and renewed, and the rest of HOME cannot be seen", async () => {
    const login = join(scene.userHome, ".agent");
    scene.write(join(login, "token"), "old");
    scene.write(join(scene.userHome, ".ssh/id"), "SECRET");
    const confine = await scene.confine(nothing, { login: [login, join(scene.userHome, ".not-there")] });
    const { stdout } = await scene.run(`cat ${login}/token; echo new > ${login}/token; ls -A ${scene.userHome}`, { confine });
    expect(stdout).toBe("old.agent\n.local\nwork");
    expect(readFileSync(join(login, "token"), "utf8")).toBe("new\n");
  });

  test("a secret inside something readable is denied by name", async () => {
    const shared = join(scene.folder, "shared");
    scene.write(join(shared, "lib.txt"), "lib");
    scene.write(join(shared, ".env"), "SECRET");
    const confine = await scene.confine(nothing, { readable: [shared], secrets: [join(shared, ".env")] });
    expect((await scene.run(`cat ${shared}/lib.txt; cat ${shared}/.env`, { confine })).stdout).toBe("lib");
  });

  test("names with spaces, quotes and newlines are names", async () => {
    const odd = join(scene.folder, `odd '"$(touch x)\`\n name`);
    scene.write(join(odd, "f"), "read");
    const confine = await scene.confine(nothing, { readable: [odd] });
    const { stdout } = await scene.run('cat "$1/f"; printf "%s|" "$@"', {
      confine,
      argv: ["sh", "-c", 'cat "$0/f"; printf "<%s>" "$@"', odd, "a b", "", "'", "$HOME"],
    });
    expect(stdout).toBe("read<a b><><'><$HOME>");
  });

  test("a HOME that is a link is found by its name, and so is a tool that is reached by one", async () => {
    const [link, tool] = [join(scene.folder, "by-link"), join(scene.folder, "tools/current")];
    symlinkSync(scene.userHome, link);
    scene.write(join(scene.folder, "tools/v1/bin/tool"), "#!/bin/sh\necho tool\n");
    chmodSync(join(scene.folder, "tools/v1/bin/tool"), 0o755);
    symlinkSync("v1", tool);
    const named = (path: string) => path.replace(scene.userHome, link);
    const workspace = { tree: named(scene.tree), home: named(scene.home), tmp: named(scene.tmp) };
    const more = { workspace, stepfallHome: named(scene.stepfallHome), userHome: link, path: `${tool}/bin:/usr/bin` };
    const confine = await scene.confine(nothing, more);
    const env = { PATH: more.path, HOME: workspace.home };
    const { stdout, stderr } = await scene.run(`tool; git log --format=%s; echo kept > ~/f; ls ~/../..; ls -A ${link}`, {
      confine,
      env,
      cwd: workspace.tree,
    });
    expect(stdout, stderr).toBe("tool\nfirst\nbuild-1\n.local\nwork");
    expect(readFileSync(join(scene.home, "f"), "utf8")).toBe("kept\n");
  });

  test("a checkout may be shown as a whole, but for its secrets, and cannot be written then either", async () => {
    scene.write(join(scene.project, ".env"), "SECRET");
    const confine = await scene.confine(nothing, { readable: [scene.project], secrets: [join(scene.project, ".env")] });
    const { stdout } = await scene.run(`cd ${scene.project}; cat README.md .env; echo x > README.md; echo x > .git/hooks/post-commit`, {
      confine,
    });
    expect(stdout).toBe("an app");
    expect(readFileSync(join(scene.project, "README.md"), "utf8")).toBe("an app\n");
  });

  test("with all of HOME shown, Stepfall's folder and known secrets are not", async () => {
    scene.write(join(scene.stepfallHome, "stepfall.db"), "SECRET");
    scene.write(join(scene.userHome, ".ssh/id"), "SECRET");
    scene.write(join(scene.userHome, "notes.txt"), "notes");
    const confine = await scene.confine(nothing, { readable: [scene.userHome] });
    const command = `cd ${scene.userHome}; cat notes.txt .ssh/id ${scene.stepfallHome}/stepfall.db work/app/README.md; echo kept > ~/f`;
    expect((await scene.run(command, { confine })).stdout).toBe("notes");
    expect(readFileSync(join(scene.home, "f"), "utf8")).toBe("kept\n");
  });

  test("the folder that Stepfall was started in is not made writable", async () => {
    await expect(scene.confine(nothing, { writable: [process.cwd()] })).rejects.toMatchObject({
      code: "AGENT_SANDBOX",
      message: expect.stringContaining("which is to be writable"),
    });
  });

  test("how it ended is told as outside", async () => {
    const confine = await scene.confine({ kind: "only", gatewayPort: 4711, domains: [] });
    expect((await scene.run("exit 7", { confine })).exit).toMatchObject({ kind: "exited", code: 7 });
    expect((await scene.run("kill -9 $$", { confine })).exit).toMatchObject({ kind: "exited", code: 137 });
    const program = join(scene.tree, "not-a-program");
    for (const argv of [["no-such-program"], [program]] as [string][])
      expect((await scene.run("", { confine, argv })).exit).toMatchObject({
        kind: "unstartable",
        message: expect.stringContaining("not found"),
      });
    expect((await scene.run("sleep 100", { confine, deadlineMs: 300 })).exit).toMatchObject({ kind: "deadline" });
    rmSync(confine.bridge, { recursive: true });
    expect((await scene.run("true", { confine })).exit).toMatchObject({
      kind: "unstartable",
      message: expect.stringContaining("way to the gateway"),
    });
  });

  test("it has the time between TERM and KILL to end by itself, and is told by signal(), too", async () => {
    const confine = await scene.confine(nothing);
    const command = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    for (const by of ["signal", "abort"] as const) {
      const handle = await scene.host.spawn(scene.spec(command, { confine }));
      for await (const line of handle.lines()) if (line.text === "ready") break;
      if (by === "signal") handle.signal("SIGTERM");
      const exit = await handle.settle(by === "abort" ? AbortSignal.abort() : undefined);
      expect(exit).toMatchObject(by === "abort" ? { kind: "aborted" } : { kind: "exited", code: 3 });
      const said: string[] = [];
      for await (const line of handle.lines()) said.push(line.text);
      expect(said).toContain("asked");
    }
  });

  test("everything in it ends with its outer process, and with the process that started it", async () => {
    const confine = await scene.confine({ kind: "only", gatewayPort: 4711, domains: [] });
    const mark = `1000.${process.pid}`;
    const command = `setsid sleep ${mark} & (trap "" TERM; sleep ${mark}) & echo ready; wait`;
    const handle = await scene.host.spawn(scene.spec(command, { confine }));
    for await (const line of handle.lines()) if (line.text === "ready") break;
    expect(running(`sleep ${mark}`).length).toBeGreaterThan(1);
    process.kill(handle.process.pid, "SIGKILL");
    expect(await handle.settle()).toMatchObject({ kind: "signalled" });
    expect(running(mark)).toEqual([]);

    const script = `
      import { createLocalHost } from ${JSON.stringify(new URL("../host/local.ts", import.meta.url).href)};
      const host = createLocalHost({ home: ${JSON.stringify(scene.stepfallHome)}, clock: { now: () => 0 }, mask: (t) => t });
      const handle = await host.spawn(${JSON.stringify(scene.spec(command, { confine }))});
      for await (const line of handle.lines()) console.log(line.text);
    `;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await scene.host.endLeftovers(scene.attempt);
    for (let n = 0; n < 100 && running(`sleep ${mark}`).length > 0; n++) await sleep(10);
    expect(running(`sleep ${mark}`)).toEqual([]);
  });

  test("a wrong domain is refused by name before anything is started", async () => {
    await expect(scene.confine({ kind: "only", domains: ["https://example.com/"] })).rejects.toMatchObject({
      code: "AGENT_SANDBOX",
      message: expect.stringContaining('"https://example.com/" is no domain'),
    });
  });

  test("what it costs to start", async () => {
    const began = performance.now();
    const confine = await scene.confine({ kind: "only", gatewayPort: 4711, domains: [] });
    const prepared = performance.now() - began;
    const time = async (more: object): Promise<number> => {
      const each: number[] = [];
      for (let n = 0; n < 12; n++) {
        const start = performance.now();
        await (await scene.host.spawn(scene.spec("true", more))).settle();
        each.push(performance.now() - start);
      }
      return each.toSorted((a, b) => a - b)[6] as number;
    };
    const [outside, inside] = [await time({}), await time({ confine })];
    console.log(
      `prepared in ${prepared.toFixed(0)} ms; start to end: ${outside.toFixed(0)} ms outside, ${inside.toFixed(0)} ms in the sandbox`,
    );
    // Generous: the machine is shared. The figures themselves are printed.
    expect(inside - outside).toBeLessThan(500);
  });
});

test("a bridge's sockets go when it is closed, and lie in folders of any depth", async () => {
  using scene = new SandboxScene();
  const { server, port } = await serve("deep");
  const folder = join(scene.folder, "x".repeat(100), "y".repeat(100));
  const file = scene.write(join(folder, "f"), "");
  const bridge = await openBridge({ prefix: [], bridge: folder, env: {}, network: { kind: "only", gatewayPort: port, domains: [] } });
  try {
    const socket = bridge.ways.split("=")[1] as string;
    expect(existsSync(join(folder, socket))).toBe(true);
    const cwd = process.cwd();
    const answer = await new Promise<string>((resolve, reject) => {
      process.chdir(folder);
      request({ socketPath: socket, path: "/", agent: false }, (response) =>
        response.on("data", (data: Buffer) => resolve(data.toString())),
      )
        .on("error", reject)
        .end();
      setImmediate(() => process.chdir(cwd));
    });
    expect(answer).toBe("deep GET /");
    bridge.close();
    for (let n = 0; n < 100 && existsSync(join(folder, socket)); n++) await sleep(10);
    expect(existsSync(join(folder, socket))).toBe(false);
    expect(existsSync(file)).toBe(true);
  } finally {
    server.close();
  }
});
