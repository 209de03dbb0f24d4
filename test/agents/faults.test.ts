import { expect, test } from "vitest";
import { runWithFaults, type InjectedFault } from "./faulty-run.ts";

// How long it takes is for `npm run bench -- agents` to say.
test("a six-step pipeline of real agents in parallel ends with every step accepted, although some lie, crash or get garbage first", async () => {
  const first: InjectedFault[] = ["none", "lie", "crash", "none", "malformed", "none"];
  const outcome = await runWithFaults({
    steps: 6,
    fault: (step, n) => (n === 1 ? (first[step] ?? "none") : "none"),
    slots: 6,
    timeout: "45s",
  });
  expect(outcome).toMatchObject({ steps: 6, accepted: 6, attempts: 9, injected: 3, untrue: [] });
});
