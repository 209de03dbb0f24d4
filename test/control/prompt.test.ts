import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { controlOf } from "./controlling.testkit.ts";

vi.setConfig({ testTimeout: 120_000 });

/** It keeps what it is told; its gate likes that only once it was told of a refusal. */
const files = {
  "stepfall.yaml": "agents: { scribe: { executor: shell, command: cat > told.txt } }\n",
  "p.yaml": `steps:
  look: { command: "echo ä-looked", readonly: true }
  write: { needs: look, prompt: "Write it down, key hush-hush-4711, \${{ inputs.what }}", agent: scribe, outputs: [told.txt], gates: ["test $(grep -c ^- told.txt) -gt 2"], retry: 2 }
inputs: { what: { default: ünïcode } }
`,
};

test("what an agent was told is told whole, with its findings and without secrets, and again from the journal when it was cleaned away", async () => {
  await using scene = new Scene(files);
  const secret = { env: { SOME_API_KEY: "hush-hush-4711" } };
  expect((await scene.run(["run", "p.yaml"], secret)).code).toBe(0);
  const { runId } = await keptBy(scene);
  await using control = await controlOf(scene, secret.env);
  const [first, second] = [await control.prompt(runId, `${runId}/write#1`), await control.prompt(runId, `${runId}/write#2`)];
  // Byte for byte what its standard input had, but for the secret.
  const told = scene.git("show", `stepfall/${runId}:told.txt`);
  expect(second).toEqual({ text: told.replace("hush-hush-4711", "***"), isTruncated: false, source: "transcript" });
  expect(told).toContain("hush-hush-4711");
  expect(second.text).toMatch(/^Write it down, key \*\*\*, ünïcode\n[^]*The attempt before this one was refused[^]*- test/);
  expect(first.text).not.toContain("refused, and");

  const folder = join(scene.home, "runs", runId);
  const kept = readdirSync(folder).filter((name) => name.endsWith(".prompt.txt"));
  expect(kept.toSorted()).toEqual(["write-1.prompt.txt", "write-2.prompt.txt"]);
  for (const name of kept) rmSync(join(folder, name));
  expect(await control.prompt(runId, `${runId}/write#1`)).toEqual({ ...first, source: "journal" });
  expect(await control.prompt(runId, `${runId}/write#2`)).toEqual({ ...second, source: "journal" });

  await expect(control.prompt(runId, `${runId}/look#1`)).rejects.toMatchObject({ code: "NO_PROMPT" });
  await expect(control.prompt(runId, `${runId}/../x#1`)).rejects.toMatchObject({ code: "ATTEMPT_UNKNOWN" });
});

test("a diff that is cut ends with a line, and never within a secret", async () => {
  const secret = `S3cr3t${"x".repeat(40)}`;
  await using scene = new Scene({
    "p.yaml": `steps: { a: { command: "for i in 1 2 3 4; do echo ${secret}; done > out.txt", outputs: [out.txt] } }\n`,
  });
  expect((await scene.run(["run", "p.yaml"])).code).toBe(0);
  const { runId } = await keptBy(scene);
  await using control = await controlOf(scene, { SOME_API_KEY: secret });
  const whole = await control.diff(runId);
  expect([whole.isTruncated, whole.text]).toEqual([false, expect.stringMatching(/\+\*\*\*\n\+\*\*\*\n\+\*\*\*\n\+\*\*\*\n$/)]);
  for (let most = 20; most < whole.text.length; most += 7) {
    const { text, isTruncated } = await control.diff(runId, { maxBytes: most });
    expect([isTruncated, text]).toEqual([true, expect.stringMatching(/\[cut after \d+ bytes\]\n$/)]);
    expect(text).not.toContain("S3cr");
    expect(whole.text.startsWith(text.replace(/\[cut.*\n$/, ""))).toBe(true);
  }
});
