import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DEFAULT_LOG } from "../../config/index.ts";
import { SystemLog } from "../../logs/index.ts";
import { childrenOf, gateway, tempHome, until } from "./gateway.testkit.ts";

test("a gateway says in the home's log that it began, and that its worker was killed and replaced", { timeout: 60_000 }, async () => {
  const home = await tempHome();
  const client = await gateway({ home, tuning: { log: DEFAULT_LOG } });
  const [worker] = childrenOf(client.pid);
  process.kill(worker ?? 2 ** 30, "SIGKILL");
  const said = (): string[] =>
    [...new SystemLog(home).next()].map(({ process: name, level, event, message }) => `${name} ${level} ${event} ${message}`);
  await until(() => said().length >= 2);
  expect(said()).toEqual([
    expect.stringMatching(/^gateway info gateway-began listens on 127\.0\.0\.1:\d+$/),
    `gateway warn worker-ended its worker (pid ${worker}) ended with SIGKILL; another is started`,
  ]);
});

test("one that was told nothing of a log writes none", { timeout: 60_000 }, async () => {
  const home = await tempHome();
  await gateway({ home });
  expect(existsSync(join(home, "logs"))).toBe(false);
});
