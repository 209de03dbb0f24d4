import fc from "fast-check";
import { expect, test } from "vitest";
import { formatHolder, parseHolder, Registry, type RegisteredAgent } from "./index.ts";

const agent = (id: string): RegisteredAgent<string> => ({
  id,
  tier: "free",
  capabilities: [],
  takesPrompts: true,
  executorKind: "test",
  account: "acc",
  executor: `executes as ${id}`,
});

test("an id is given once; whoever asks for it gets that agent, and nobody gets one that is not registered", () => {
  const registry = new Registry<string>();
  registry.register(agent("coder"));
  registry.register(agent("writer"));
  expect(registry.get("coder").executor).toBe("executes as coder");
  expect(registry.list().map((a) => a.id)).toEqual(["coder", "writer"]);
  expect(() => registry.register(agent("coder"))).toThrow(expect.objectContaining({ code: "AGENT_ID_TAKEN" }));
  expect(() => registry.get("ghost")).toThrow(expect.objectContaining({ code: "AGENT_UNKNOWN", hint: "Registered: coder, writer." }));
  for (const id of ["", "a b", "-x", "x".repeat(65), "../x"])
    expect(() => registry.register(agent(id))).toThrow(expect.objectContaining({ code: "AGENT_ID_INVALID" }));
});

test("a holder is read back as it was written, whatever the host is called", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.string(), (host, pid, startTime) => {
      const holder = { host: host.toWellFormed(), pid, startTime: startTime.toWellFormed() };
      expect(parseHolder(formatHolder(holder))).toEqual(holder);
    }),
  );
  expect(parseHolder("bench")).toBeUndefined();
  expect(parseHolder("h:x:1")).toBeUndefined();
});
