import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parsePipeline } from "../../src/pipeline/index.ts";
import { launchBrowser, lacksBrowser } from "../browser/browser.testkit.ts";
import { answerSample, upByNpx } from "./new-user.ts";
import { folderOfOldNode, hostPath, outsideEnvironment, run, type Done } from "./outside.ts";

/** The package as a person gets it: packed, installed from its tarball beside a Node of its own, and run where the host's Node is old. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  devDependencies: Record<string, string>;
  dependencies: Record<string, string>;
};
const ownNode = `node@${manifest.devDependencies["node"]}`;

let folder: string;
let tarball: string;
/** What is in the tarball. */
let shipped: string[];
/** Installed with a Node beside it, and without. */
let withNode: string;
let withoutNode: string;
let env: NodeJS.ProcessEnv;

async function npm(cwd: string, ...args: string[]): Promise<Done> {
  const done = await run(["npm", ...args], cwd, env);
  if (done.code !== 0) throw new Error(`npm ${args.join(" ")} ended with ${done.code}:\n${done.stderr}`);
  return done;
}

const install = (cwd: string, ...packages: string[]): Promise<Done> =>
  npm(cwd, "install", "--no-audit", "--no-fund", "--prefer-offline", ...packages);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-package-"));
  const at = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  withNode = at("with-node");
  withoutNode = at("without-node");
  const own = { TMPDIR: at("tmp"), STEPFALL_HOME: join(folder, "home") };
  env = outsideEnvironment(hostPath(), own);
  let old = await folderOfOldNode(hostPath());
  if (!old) {
    // A host whose every Node is good enough: an old one comes from npm, as real as any.
    await install(at("old"), "node@20");
    old = join(folder, "old", "node_modules", "node", "bin");
  }
  env = outsideEnvironment([old, ...hostPath()], own);

  const { stdout } = await npm(root, "pack", "--json", "--pack-destination", folder);
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = join(folder, packed.filename);
  shipped = packed.files.map((file) => file.path);
  await Promise.all([install(withNode, tarball, ownNode), install(withoutNode, tarball)]);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

const stepfall = (place: string, ...args: string[]): Promise<Done> => run(["npx", "--no-install", "stepfall", ...args], place, env);

test("the tarball holds the launcher, the bundle, the dashboard, examples and schemas, and nothing else", () => {
  const expected = [
    /^(package\.json|LICENSE|README\.md|bin\/stepfall\.js)$/,
    /^dist\/[\w-]+\.js$/,
    /^dist\/index\.d\.ts$/,
    /^web\/dist\/(index\.html|theme\.js|favicon\.svg|assets\/[\w.-]+)$/,
    /^examples\//,
    /^schema\/(\w+\.schema|openapi)\.json$/,
  ];
  expect(shipped.filter((file) => !expected.some((pattern) => pattern.test(file)))).toEqual([]);
  expect(shipped).toEqual(
    expect.arrayContaining(
      ["cli", "index", "store-worker", "git-runner", "gateway-main", "scripted-main", "chat-main"].map((n) => `dist/${n}.js`),
    ),
  );
  expect(shipped).toEqual(
    expect.arrayContaining([
      "dist/index.d.ts",
      "web/dist/index.html",
      "examples/fix-and-verify/pipeline.yaml",
      "schema/pipeline.schema.json",
    ]),
  );
});

test("publint finds nothing to say about it", async () => {
  const { code, stdout, stderr } = await run([join(root, "node_modules", ".bin", "publint"), "run", tarball, "--strict"], folder, env);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/All good/);
});

test("every dependency is imported by the bundle, and the bundle imports no other package", () => {
  const dist = join(withNode, "node_modules", "stepfall");
  const code = shipped.filter((file) => /^dist\/.*\.js$/.test(file)).map((file) => readFileSync(join(dist, file), "utf8"));
  const imported = code
    .flatMap((text) => [
      ...text.matchAll(/\bfrom "([^"\n]+)";$|^import "([^"\n]+)";$|\b(?:import|require)\("([^"\n]+)"\)|\bPACKAGE = "([^"\n]+)"/gm),
    ])
    .map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? "")
    .filter((name) => !/^(\.|node:)/.test(name))
    .map((name) => name.split("/", name.startsWith("@") ? 2 : 1).join("/"));
  expect([...new Set(imported)].sort()).toEqual(Object.keys(manifest.dependencies).sort());
});

test("installed beside a Node of its own, it runs by npx where the host's Node is old", async () => {
  expect((await run(["node", "-p", "process.versions.node"], withNode, env)).stdout).toMatch(/^(\d|1\d|2[0-2])\./);
  expect(await stepfall(withNode, "--version")).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  const help = await stepfall(withNode, "--help");
  expect(help).toMatchObject({ code: 0 });
  expect(help.stdout).toMatch(/^Usage: .*stepfall/m);
});

test("the launcher itself finds the Node beside it", async () => {
  // npx puts node_modules/.bin on PATH, where the good Node is; called by its path, the launcher begins on the old one.
  const { stdout, stderr } = await run([join(withNode, "node_modules", ".bin", "stepfall"), "doctor", "--json"], withNode, env);
  expect(stdout, stderr).not.toBe("");
  const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string; detail: string }[] };
  const verdicts = new Map(checks.map((check) => [check.name, check]));
  expect(verdicts.get("node"), stderr).toMatchObject({ verdict: "ok", detail: `v${manifest.devDependencies["node"]}` });
  // The two that are started by file from dist: the store's thread and the gateway's process.
  expect(verdicts.get("store")).toMatchObject({ verdict: "ok" });
  expect(verdicts.get("gateway")).toMatchObject({ verdict: "ok" });
});

test("the demo runs from the package: every process it starts is found in dist", async () => {
  const { code, stdout, stderr } = await run([join(withNode, "node_modules", ".bin", "stepfall"), "demo", "--json"], withNode, env);
  expect(code, stderr).toBe(0);
  const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { steps: { status: string }[]; bill: { total: { calls: number } } };
  expect(result).toMatchObject({ type: "result", status: "succeeded" });
  expect(result.steps.map((step) => step.status)).toEqual(["completed", "completed", "completed", "completed"]);
  expect(result.bill.total.calls).toBe(10);
});

test.skipIf(lacksBrowser())(
  "a new user comes from `npx stepfall up` to an answered approval by clicking what they see",
  { timeout: 300_000 },
  async () => {
    const shop = join(withNode, "shop");
    mkdirSync(shop);
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=Tester", "-c", "user.email=tester@localhost", ...args], { cwd: shop });
    git("init", "--quiet", "--initial-branch=main");
    git("commit", "--quiet", "--allow-empty", "--message", "start");
    const { child, link, ended } = await upByNpx(shop, { ...env, HOME: folder, OLLAMA_HOST: "http://127.0.0.1:9" });
    const browser = await launchBrowser();
    try {
      const seen = await answerSample(browser, link);
      expect(seen.complaints).toEqual([]);
      // Commands on the page work for whoever came by npx.
      expect(seen.copied).toContain("npx stepfall");
      expect(seen.merge).toContain("Merge");
    } finally {
      await browser.close();
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
      await ended;
    }
  },
);

test("without a Node beside it, on an old Node: two sentences and exit 2", async () => {
  expect(existsSync(join(withoutNode, "node_modules", "node"))).toBe(false);
  for (const args of [["--version"], ["demo", "--json"]]) {
    const { code, stdout, stderr } = await stepfall(withoutNode, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/stepfall needs Node 22\.18 or newer, and this is Node \d+\.\d+\.\d+\.\nRun `npm i node@24` beside it[^\n]*\n$/);
  }
});

test("as a library: the shipped examples type-check in full, one drives a run, the other is the pipeline that its YAML is", async () => {
  const examples = join(withNode, "node_modules", "stepfall", "examples");
  copyFileSync(join(examples, "as-a-library", "run.ts"), join(withNode, "run.ts"));
  copyFileSync(join(examples, "typed-pipeline", "release.ts"), join(withNode, "release.ts"));
  writeFileSync(join(withNode, "misuse.ts"), 'import { formatUsd } from "stepfall";\nformatUsd("1");\n');
  const options = {
    target: "ES2024",
    lib: ["ES2024", "ESNext.Disposable"],
    module: "NodeNext",
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")],
    strict: true,
    noEmit: true,
    // The declarations of the package are checked as well.
    skipLibCheck: false,
    pretty: false,
  };
  writeFileSync(
    join(withNode, "tsconfig.json"),
    JSON.stringify({ compilerOptions: options, files: ["run.ts", "release.ts", "misuse.ts"] }),
  );
  writeFileSync(join(withNode, "package.json"), JSON.stringify({ type: "module", private: true }));
  const node = join(withNode, "node_modules", ".bin", "node");
  const checked = await run([node, join(root, "node_modules", "@typescript", "native", "bin", "tsc")], withNode, env);
  // One complaint, and it is about the misuse: the types are there, and they are not `any`.
  expect(checked.stdout.trim()).toMatch(/^misuse\.ts\(2,11\): error TS2345: [^\n]*$/);

  const project = join(folder, "project");
  mkdirSync(project);
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: project, encoding: "utf8" });
  git("init", "--quiet", "--initial-branch=main");
  git("-c", "user.name=Tester", "-c", "user.email=tester@localhost", "commit", "--quiet", "--allow-empty", "--message", "start");
  const ran = await run([node, "run.ts", project], withNode, env);
  expect(ran.code, ran.stderr).toBe(0);
  const { outcome, branch, steps } = JSON.parse(ran.stdout) as { outcome: unknown; branch: string; steps: unknown };
  // The first try of the function is wrong: its gate sees it.
  expect({ outcome, steps }).toEqual({
    outcome: "succeeded",
    steps: [
      ["write", "completed", 2],
      ["count", "completed", 1],
    ],
  });
  expect(git("show", `${branch}:count.txt`).trim()).toBe("6");

  const printed = await run([node, "release.ts"], withNode, env);
  expect(printed.code, printed.stderr).toBe(0);
  const parsed = parsePipeline(printed.stdout, "release.yaml");
  expect(parsed.ok ? parsed.pipeline.steps.map((step) => [step.path, step.kind]) : parsed.problems).toEqual([
    ["plan", "agent"],
    ["risk", "approve"],
    ["change", "group"],
    ["test", "command"],
    ["notes", "agent"],
  ]);
});
