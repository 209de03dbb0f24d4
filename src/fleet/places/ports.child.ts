import { openPlaces } from "./places.ts";

/** For tests, as a process of its own: takes blocks for as many attempts as asked, prints each, and goes on living until its stdin ends. */
const [folder = "", home = "", name = "", count = "0", from = "0", to = "0"] = process.argv.slice(2);
const places = openPlaces({
  home,
  folder,
  clock: { now: () => Date.now() },
  holder: `here:${process.pid}:x`,
  isGone: () => false,
  isolation: { ports: 3, env: {} },
  range: { from: Number(from), to: Number(to) },
});
for (let n = 1; n <= Number(count); n++) {
  const place = await places.take(`${name}/step#${n}`, "agent");
  process.stdout.write(`${JSON.stringify(place)}\n`);
}
process.stdin.resume();
