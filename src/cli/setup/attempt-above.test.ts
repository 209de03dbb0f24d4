import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { attemptAbove } from "./attempt-above.ts";

const module = fileURLToPath(new URL("attempt-above.ts", import.meta.url));
const look = `import { attemptAbove } from ${JSON.stringify(module)}; console.log(attemptAbove(process.env) ?? "none");`;

/** What a process finds that is started by `shell`. */
function foundBy(shell: string, env: Record<string, string> = {}): string {
  const inner = `"$NODE" --input-type=module-typescript -e "$LOOK"`;
  const done = spawnSync("sh", ["-c", shell.replace("LOOK_NOW", inner)], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], NODE: process.execPath, LOOK: look, NODE_NO_WARNINGS: "1", ...env },
  });
  return `${done.stdout}${done.stderr}`.trim();
}

test("the agent of a run is told from its own environment", () => {
  expect(attemptAbove({ STEPFALL_ATTEMPT: "r/a#1" })).toBe("r/a#1");
  expect(foundBy("LOOK_NOW")).toBe("none");
});

test.runIf(process.platform === "linux")("and from that of a process above it, where a client hands on nothing of its own", () => {
  // The shell keeps the variable, its child does not get it.
  expect(foundBy("unset STEPFALL_ATTEMPT; LOOK_NOW; true", { STEPFALL_ATTEMPT: "r/b#2" })).toBe("r/b#2");
  expect(
    foundBy(`unset STEPFALL_ATTEMPT; ("$NODE" -e "require('child_process').spawnSync('true')"; LOOK_NOW; true); true`, {
      STEPFALL_ATTEMPT: "r/c#3",
    }),
  ).toBe("r/c#3");
});
