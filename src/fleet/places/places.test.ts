import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { machineFolder, openPlaces, PlacesError, PortBook, type OwnPlace, type Places, type PlacesOptions } from "../index.ts";
import { choosePortRange, parseEphemeral } from "./port-range.ts";

let folder: string;
const opened: Places[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-places-"));
});
afterEach(() => {
  for (const places of opened.splice(0)) places[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const range = { from: 24_000, to: 24_299 };
function open(options: Partial<PlacesOptions> = {}): Places {
  const places = openPlaces({
    home: "/home/one",
    folder,
    clock: { now: () => 1 },
    holder: "here:1:a",
    isGone: () => false,
    isolation: { ports: 3, env: {} },
    range,
    ...options,
  });
  opened.push(places);
  return places;
}

const overlaps = (places: readonly OwnPlace[]): number => {
  const all = places.flatMap((p) => p.ports);
  return all.length - new Set(all).size;
};

/** A process that takes blocks, and lives on. */
function child(name: string, home: string, count: number): { first: (n: number) => Promise<OwnPlace[]>; kill: () => Promise<void> } {
  const file = fileURLToPath(new URL("./ports.child.ts", import.meta.url));
  const started = spawn(process.execPath, [file, folder, home, name, String(count), String(range.from), String(range.to)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => started.once("close", () => resolve()));
  const seen: OwnPlace[] = [];
  const waiting: { n: number; resolve: (places: OwnPlace[]) => void }[] = [];
  createInterface({ input: started.stdout }).on("line", (line) => {
    seen.push(JSON.parse(line) as OwnPlace);
    for (const w of waiting) if (seen.length >= w.n) w.resolve(seen);
  });
  return {
    first: (n) => (seen.length >= n ? Promise.resolve(seen) : new Promise((resolve) => waiting.push({ n, resolve }))),
    kill: async () => {
      started.kill("SIGKILL");
      await gone;
    },
  };
}

describe("ports", () => {
  test("an attempt and its gates have a block each, and get it back as long as they do not free it", async () => {
    const places = open();
    const agent = await places.take("r/s#1", "agent");
    const gates = await places.take("r/s#1", "gates");
    expect(agent.ports).toHaveLength(3);
    expect(overlaps([agent, gates])).toBe(0);
    expect(agent.name).not.toBe(gates.name);
    expect(await places.take("r/s#1", "agent")).toEqual(agent);
    places.free("r/s#1", "gates");
    expect(places.left("r/s#1")).toEqual([agent]);
  });

  test("engines of two homes, in processes of their own, take blocks at once and never the same", async () => {
    const children = ["/home/one", "/home/two", "/home/one", "/home/three"].map((home, i) => child(`run${i}`, home, 20));
    try {
      const taken = (await Promise.all(children.map((c) => c.first(20)))).flat();
      expect(taken).toHaveLength(80);
      expect(overlaps(taken)).toBe(0);
    } finally {
      await Promise.all(children.map((c) => c.kill()));
    }
  });

  test("an engine killed while it takes blocks keeps what it was given, and whoever takes its attempts up gets the same ports", async () => {
    for (const after of [1, 4, 9]) {
      const victim = child(`victim${after}`, "/home/one", 60);
      await victim.first(after);
      await victim.kill();
      const before = await victim.first(after);
      const heir = open({ holder: "here:2:b", isGone: (h) => h !== "here:2:b" });
      for (const place of before) expect(await heir.take(place.attempt, place.purpose)).toEqual(place);
      const book = new PortBook(folder);
      expect(book.of("/home/one", `victim${after}/step#1`)).toMatchObject([{ holder: "here:2:b" }]);
      for (const lease of book.list()) book.free(lease.home, lease.attempt);
      book.close();
    }
  });

  test("of an engine killed in the middle of writing a block down nothing is left, and nobody waits for it", async () => {
    new PortBook(folder).close();
    const script = `const db = new (require("node:sqlite").DatabaseSync)(${JSON.stringify(join(folder, "ports.db"))});
      db.exec("BEGIN IMMEDIATE; INSERT INTO lease VALUES ('/h', 'r/torn#1', 'agent', ${range.from}, 3, 'x', 1)");
      console.log("half"); process.stdin.resume();`;
    const victim = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise((resolve) => victim.stdout.once("data", resolve));
    victim.kill("SIGKILL");
    await new Promise((resolve) => victim.once("close", resolve));
    const book = new PortBook(folder);
    expect(book.list()).toEqual([]);
    book.close();
    expect((await open().take("r/s#1", "agent")).ports[0]).toBe(range.from);
  });

  test("a block on which somebody else listens is left out, on whichever address that is", async () => {
    const small = { from: range.from, to: range.from + 8 };
    for (const [i, host] of ["127.0.0.1", "0.0.0.0", "::"].entries()) {
      const server = await listen(range.from + 1, host);
      if (!server) continue; // a machine without IPv6
      try {
        const place = await open({ range: small }).take(`r/s#${i + 1}`, "agent");
        expect(place.ports).not.toContain(range.from + 1);
        open().free(`r/s#${i + 1}`);
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    }
  });

  test("blocks of engines that are gone are taken only when there is no other, and then the oldest", async () => {
    const small = { from: range.from, to: range.from + 8 };
    const gone = (h: string): boolean => h.startsWith("dead");
    const old = await open({ holder: "dead:1:a", range: small, clock: { now: () => 10 } }).take("r/old#1", "agent");
    const newer = await open({ holder: "dead:2:a", range: small, clock: { now: () => 20 } }).take("r/newer#1", "agent");
    const living = open({ holder: "here:3:c", range: small, isGone: gone, clock: { now: () => 30 } });
    expect(overlaps([old, newer, await living.take("r/a#1", "agent")])).toBe(0);
    expect((await living.take("r/b#1", "agent")).ports).toEqual(old.ports);
    expect((await living.take("r/c#1", "agent")).ports).toEqual(newer.ports);
    const refused = await living.take("r/d#1", "agent").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PlacesError);
    expect(refused).toMatchObject({ code: "PORTS_NONE" });
  });

  test("whatever is taken and freed in whatever order, by homes with blocks of different sizes, no two blocks touch", () => {
    const action = fc.record({
      home: fc.constantFrom("/a", "/b"),
      n: fc.integer({ min: 1, max: 8 }),
      size: fc.integer({ min: 1, max: 7 }),
      what: fc.constantFrom("take", "take", "free"),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const book = new PortBook(mkdtempSync(join(folder, "book-")));
        const room = { from: 20_000, to: 20_039 };
        for (const { home, n, size, what } of actions) {
          const attempt = `r/s#${n}`;
          if (what === "free") book.free(home, attempt);
          else
            book.take(
              { home, attempt, purpose: "agent", holder: n % 2 === 0 ? "dead" : "lives", at: n },
              { count: size, range: room, refused: new Set(), isGone: (h) => h === "dead" },
            );
          const leases = book.list();
          for (const [i, lease] of leases.entries()) {
            expect(lease.first).toBeGreaterThanOrEqual(room.from);
            expect(lease.first + lease.count - 1).toBeLessThanOrEqual(room.to);
            const next = leases[i + 1];
            if (next) expect(next.first).toBeGreaterThanOrEqual(lease.first + lease.count);
          }
        }
        book.close();
      }),
      { numRuns: 40 },
    );
  });

  test("ports lie outside the range from which the kernel takes its own", () => {
    expect(choosePortRange(parseEphemeral("32768\t60999\n"))).toEqual({ from: 20_000, to: 32_767 });
    expect(choosePortRange({ from: 49_152, to: 65_535 })).toEqual({ from: 20_000, to: 32_767 });
    expect(choosePortRange({ from: 1024, to: 60_000 })).toEqual({ from: 60_001, to: 65_535 });
    expect(choosePortRange(parseEphemeral("nonsense"))).toEqual({ from: 20_000, to: 32_767 });
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 65_000 }), fc.integer({ min: 0, max: 64_000 }), (from, more) => {
        const ephemeral = { from, to: Math.min(65_535, from + more) };
        const chosen = choosePortRange(ephemeral);
        expect(chosen.to - chosen.from).toBeGreaterThan(1000);
        const hasRoom = ephemeral.from - 1 - 10_240 >= 2000 || 65_535 - ephemeral.to - 1 >= 2000;
        if (hasRoom) expect(chosen.to < ephemeral.from || chosen.from > ephemeral.to).toBe(true);
      }),
    );
  });

  test("the list of ports lies in a folder of the user's own, and in the home when somebody else has taken that name", () => {
    const uid = process.getuid?.() ?? 0;
    expect(machineFolder("/home/one", uid, folder)).toBe(join(folder, `stepfall-${uid}`));
    expect(machineFolder("/home/one", uid + 1, folder)).toBe(join("/home/one", "ports"));
  });
});

describe("variables", () => {
  test("name, ports and templates are filled in, and nothing is run", async () => {
    const places = open({
      isolation: {
        ports: 2,
        env: { DATABASE_URL: "postgres://localhost:5432/app_${NAME}", OTHER: "$(id) `id` $HOME $${NAME} ${PORT}-${PORT_2} ${STEP} ${TMP}" },
      },
    });
    const place = await places.take("run1/a/b#2", "gates");
    const env = places.env(place, { tree: "/t", home: "/h", tmp: "/tmp/x" });
    const [one, two] = place.ports;
    expect(env).toEqual({
      PORT: String(one),
      COMPOSE_PROJECT_NAME: place.name,
      DATABASE_URL: `postgres://localhost:5432/app_${place.name}`,
      OTHER: `$(id) \`id\` $HOME \${NAME} ${one}-${two} a/b /tmp/x`,
      STEPFALL_NAME: place.name,
      STEPFALL_PORT_1: String(one),
      STEPFALL_PORT_2: String(two),
    });
    expect(place.name).toMatch(/^[a-z][a-z0-9]{7,20}$/);
  });

  test("without ports there is a name all the same, and no list of ports is made", async () => {
    const places = open({ isolation: { ports: 0, env: {} }, folder: join(folder, "none") });
    const place = await places.take("r/s#1", "agent");
    expect(Object.keys(places.env(place, undefined)).sort()).toEqual(["COMPOSE_PROJECT_NAME", "STEPFALL_NAME"]);
    places.free("r/s#1");
    expect(existsSync(join(folder, "none"))).toBe(false);
    expect(places.left("r/s#1")).toEqual([place]);
  });
});

function listen(port: number, host: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host, ipv6Only: host.includes(":") }, () => resolve(server));
  });
}
