import { expect, test } from "vitest";
import { pipeline } from "./pipeline.ts";

test("what undoes its setup, and what is done when it is stuck, a step says or the defaults say, in a nested pipeline too", () => {
  const inner = pipeline("inner", { defaults: { onStuck: "escalate", teardown: ["dropdb $STEPFALL_NAME"] } }, ({ command }) => {
    command("load", { command: "make load", readonly: true, stuckAfter: "2m" });
  });
  const { pipeline: outer } = pipeline("outer", { defaults: { stuckAfter: 900, onStuck: "ask" } }, ({ agent, nested }) => {
    agent("fix", {
      prompt: "Fix it",
      readonly: true,
      setup: ["createdb $STEPFALL_NAME"],
      teardown: ["dropdb $STEPFALL_NAME"],
      onStuck: "retry",
    });
    nested("inner", { pipeline: inner });
  });
  const [fix, group] = outer.steps;
  expect(fix).toMatchObject({ stuck: { move: "retry", afterMs: 900_000 }, teardown: ["dropdb $STEPFALL_NAME"] });
  const [load] = group?.kind === "group" && group.body.kind === "pipeline" ? group.body.pipeline.steps : [];
  expect(load).toMatchObject({ stuck: { move: "escalate", afterMs: 120_000 }, teardown: ["dropdb $STEPFALL_NAME"] });
});
