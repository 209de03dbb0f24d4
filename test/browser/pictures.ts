// The pictures of the documentation, from real runs with the scripted model of examples/fix-and-verify:
//   node scripts/run-node.mjs test/browser/pictures.ts
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Dashboard, launchBrowser } from "./browser.testkit.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const example = join(root, "examples", "fix-and-verify");
const into = join(root, "docs", "screenshots");

const release = `name: release
steps:
  notes: { command: "echo v2 > NOTES", outputs: [NOTES] }
  channel: { ask: { question: "Which channel shall it go to?", choices: [stable, beta, nightly] } }
  go: { needs: notes, approve: { title: "Release version 2?", detail: "The notes are written, and the tests pass on the run's branch." } }
  publish: { needs: [go, channel], command: "echo published > PUBLISHED", outputs: [PUBLISHED] }
  announce: { needs: publish, command: "true", readonly: true }
`;

const filesOf = (folder: string, prefix = ""): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).flatMap((name) => {
      const at = join(folder, name);
      return statSync(at).isDirectory()
        ? Object.entries(filesOf(at, `${prefix}${name}/`))
        : [[`${prefix}${name}`, readFileSync(at, "utf8")]];
    }),
  );

mkdirSync(into, { recursive: true });
const files = Object.fromEntries(
  ["pipeline.yaml", "stepfall.yaml", "model-script.json"].map((name) => [name, readFileSync(join(example, name), "utf8")]),
);
await using dashboard = await Dashboard.open({
  ...filesOf(join(example, "project")),
  ...files,
  "release.yaml": release,
  "nightly.yaml":
    'name: nightly-checks\nsteps:\n  lint: { command: "exit 3", readonly: true }\n  build: { command: "echo b > BUILD", outputs: [BUILD] }\n',
});
const { control, scene } = dashboard;
const run = async (file: string, more = {}): Promise<void> => {
  const { runId } = await control.start("cli:anna", { project: scene.project, pipeline: { file }, ...more });
  await control.wait(runId, { timeoutMs: 120_000 });
};
await run("pipeline.yaml");
await run("nightly.yaml");
await run("release.yaml");
await run("pipeline.yaml", { budget: 0.01 });

const browser = await launchBrowser();
for (const [suffix, width, colorScheme] of [
  ["", 1280, "light"],
  ["-phone", 390, "dark"],
] as const) {
  await using visitor = await dashboard.logIn(browser, { width, colorScheme });
  for (const [name, path] of [
    ["overview", "/"],
    ["inbox", "/inbox"],
    ...(width > 600
      ? ([
          ["cost", "/cost"],
          ["agents", "/agents"],
        ] as const)
      : []),
  ] as const) {
    await visitor.goto(path);
    await visitor.page
      .getByRole("status")
      .filter({ hasText: /^Loading/ })
      .waitFor({ state: "detached" });
    if (name === "inbox") await visitor.page.getByRole("button", { name: /Release version/ }).click();
    await visitor.page.waitForTimeout(1_500);
    await visitor.page.screenshot({ path: join(into, `${name}${suffix}.png`) });
  }
}
await browser.close();
