import { setTimeout as sleep } from "node:timers/promises";
import { HookHome } from "./home.testkit.ts";

/** An engine that records runs and delivers meanwhile, until it is killed: `folder url name`. */
const [, , folder = "", url = "", name = ""] = process.argv;
const home = new HookHome(folder);
const hooks = [{ on: ["RunFinished"], call: { kind: "webhook" as const, url, headers: {} } }];
const deliverer = await home.deliverer(hooks, { holder: `pid:${process.pid}` });
for (let i = 0; ; i += 1) {
  await home.record(`${name}-${i}`, { type: "RunFinished", data: { outcome: "succeeded" } });
  deliverer.kick();
  await sleep(5);
}
